"""How log lines look."""

from __future__ import annotations

import logging


class BriefWarnings(logging.Filter):
    """Takes the stack trace from what is no error: Django adds one to every page that was refused."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.request") and record.levelno < logging.ERROR:
            record.exc_info = record.exc_text = None
        return True
