"""Sockets: listeners, the identity of clients, and TLS."""
