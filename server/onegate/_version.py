"""The version, where every module can have it without the package's front."""

__version__ = "0.2.0"
