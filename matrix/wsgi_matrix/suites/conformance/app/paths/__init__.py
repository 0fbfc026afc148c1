"""One module for each kind of request in the rules; ``app.py`` chooses one."""
