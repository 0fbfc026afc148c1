"""The manual, what makes parts of it from code (``python -m docs``), and its site."""
