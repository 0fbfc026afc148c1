"""``wsgi-matrix try``: run your own app under several servers, without a matrix.toml."""
