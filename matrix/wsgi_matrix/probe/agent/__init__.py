"""The part of the probe that runs next to the server: standard library only, Python >= 3.11.

It imports nothing from ``wsgi_matrix``: inside the zipapp it is the top-level package ``agent``.
"""
