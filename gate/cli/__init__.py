"""The gate on the command line: what `manage.py gate` does, without Django's parsing."""
