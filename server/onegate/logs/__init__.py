"""Error log, access log, and the request ids that both use."""
