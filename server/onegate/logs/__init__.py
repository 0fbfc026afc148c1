"""What is written down: the error log, the access log, and what both call a request."""
