"""What is raised for a setting that cannot be used."""


class SettingsError(Exception):
    """A setting that cannot be used. The text names it and says what would do."""
