"""The panel's version. This is its only home: `pyproject.toml` takes it from here."""

VERSION = "0.1.0"
