"""How the web server writes its log; only gunicorn imports this."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from gate.core.patient import patient_stderr

__all__ = ["PatientLogger"]


class PatientLogger(Logger):  # type: ignore[misc]
    """Waits for nobody who reads the log."""

    def _set_handler(self, log: Any, output: Any, fmt: Any, stream: Any = None) -> None:
        super()._set_handler(log, output, fmt, stream=patient_stderr)
