"""The version of the package; the server and the notebooks compare it."""

__version__ = "0.1.0"
