"""`manage.py up`: web, worker and sampler, supervised."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gate.core.patient import patient_stdout
from j5a_admin.claims import data_use, panel_claim
from j5a_admin.startable import require_startable
from j5a_admin.supervise import Child, Supervisor

WEB_THREADS = 24  # an upload has one for as long as it takes
# The worker beats from its loop: a slow upload does not count as a dead worker
WEB_TIMEOUT_SECONDS = 60
WEB_GRACEFUL_SECONDS = 8


class Command(BaseCommand):
    help = "Run web, worker and sampler until Ctrl-C or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        require_startable()
        self._claim_data_directory()
        data_use(settings.DATA_DIR)
        supervisor = Supervisor(_children(), say=self._say)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP: the panel outlives its terminal
                signal.signal(number, lambda *_: supervisor.stop())
        self._say(f"{_where()}  (Ctrl-C ends it)")
        supervisor.run()
        self._say("Stopped.")

    def _claim_data_directory(self) -> None:
        """One panel for each data directory; the kernel lets the claim go when this process ends."""
        try:
            self._claim = panel_claim(settings.DATA_DIR)
        except BlockingIOError:
            raise CommandError(
                f"Another panel runs on {settings.DATA_DIR}. Stop it, or give this one a data directory of its own "
                "with J5A_DATA_DIR."
            ) from None

    def _say(self, line: str) -> None:
        patient_stdout.write(f"{line}\n")


def _children() -> list[Child]:
    # As resolved here: gunicorn changes the directory before it reads the settings.
    for name, path in (("DATA", settings.DATA_DIR), ("MODELS", settings.MODELS_DIR), ("LOCK", settings.LOCK_DIR)):
        os.environ[f"J5A_{name}_DIR"] = str(path)
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    return [
        Child(name="web", command=_web_command()),
        Child(name="worker", command=[*manage, "worker"]),
        Child(name="sampler", command=[*manage, "sampler"]),
    ]


def _web_command() -> list[str]:
    host = f"[{settings.BIND}]" if ":" in settings.BIND else settings.BIND
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "j5a_admin.wsgi:application",
        f"--bind={host}:{settings.PORT}",
        f"--chdir={settings.BASE_DIR}",
        "--worker-class=j5a_admin.web_worker.PanelWorker",
        "--workers=1",
        f"--threads={WEB_THREADS}",
        f"--timeout={WEB_TIMEOUT_SECONDS}",
        f"--graceful-timeout={WEB_GRACEFUL_SECONDS}",
        "--log-level=warning",
        "--logger-class=j5a_admin.web_log.PatientLogger",
        "--no-control-socket",
    ]


def _where() -> str:
    if settings.HTTPS:
        return f"The panel listens on {settings.BIND}:{settings.PORT} for its TLS proxy"
    return f"The panel runs at http://{_shown_host(settings.BIND)}:{settings.PORT}{settings.SUB_PATH}"


def _shown_host(bind: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(bind, bind)  # noqa: S104 - only how it is shown
