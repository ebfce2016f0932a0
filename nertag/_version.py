"""The version, in one place: the build, `nertag --version` and model folders read it here."""

__version__ = "0.1.0"
