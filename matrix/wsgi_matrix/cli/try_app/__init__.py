"""``wsgi-matrix try``: an app of one's own under several servers, without a matrix.toml."""
