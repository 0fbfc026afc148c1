"""Sockets: where clients come in, who they are, and the encryption in between."""
