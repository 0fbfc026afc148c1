"""``python -m wsgi_matrix``."""

from wsgi_matrix.cli import main

main(prog_name="wsgi-matrix")
