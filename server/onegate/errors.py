"""The exception that a caller of any part has to expect."""


class SettingsError(Exception):
    """A setting that cannot be used. The text names it and says what would do."""
