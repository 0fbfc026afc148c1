"""The exception that a caller of any part has to expect."""


class SettingsError(Exception):
    """A setting that cannot be used. The text names it and says what would do."""

    __module__ = "onegate"  # as users import it, and as tracebacks name it
