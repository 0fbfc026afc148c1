"""One module for each thing that the rules ask a server for; ``app.py`` names them."""
