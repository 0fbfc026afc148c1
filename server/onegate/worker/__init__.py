"""A process that serves: its event loop, its connections, and the calls of the application."""
