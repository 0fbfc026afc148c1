"""The part of the probe that runs beside the server: standard library only, any Python >= 3.11.

It imports nothing from ``wsgi_matrix``: inside the zipapp it is the top-level package ``agent``.
"""
