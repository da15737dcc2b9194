"""`manage.py up`: web, worker and sampler, supervised."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gate.core.checks import LOCK_DIR_ADVICE
from gate.core.errors import LockError
from gate.core.patient import patient_stdout
from gate.services import lock_prepare
from j5a_admin.backup.claims import panel_claim
from j5a_admin.backup.restore import restore_finish
from j5a_admin.supervise import Child, Supervisor

WEB_THREADS = 24  # an upload has one for as long as it takes
# gthread beats from its main thread: a slow upload does not count as a dead worker
WEB_TIMEOUT_SECONDS = 60
WEB_GRACEFUL_SECONDS = 8


class Command(BaseCommand):
    help = "Run web, worker and sampler until Ctrl-C or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        _check_port(settings.BIND, settings.PORT)
        _check_lock_directory()
        self._claim_data_directory()
        restore_finish(self._say)
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
        "--worker-class=gthread",
        "--workers=1",
        f"--threads={WEB_THREADS}",
        f"--timeout={WEB_TIMEOUT_SECONDS}",
        f"--graceful-timeout={WEB_GRACEFUL_SECONDS}",
        "--log-level=warning",
        "--logger-class=j5a_admin.web_log.PatientLogger",
        "--no-control-socket",
    ]


def _check_lock_directory() -> None:
    try:
        lock_prepare()
    except LockError as error:
        raise CommandError(f"{error}. {LOCK_DIR_ADVICE}") from error


LISTEN_ADVICE = {
    errno.EADDRINUSE: "Is the panel running already? Otherwise choose another port with J5A_PORT.",
    errno.EADDRNOTAVAIL: "J5A_BIND must be an address of this machine.",
    errno.EACCES: "Ports below 1024 are for root: choose another with J5A_PORT.",
}


def _where() -> str:
    if settings.HTTPS:
        return f"The panel listens on {settings.BIND}:{settings.PORT} for its TLS proxy"
    return f"The panel runs at http://{_shown_host(settings.BIND)}:{settings.PORT}"


def _shown_host(bind: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(bind, bind)  # noqa: S104 - only how it is shown


def _check_port(bind: str, port: int) -> None:
    """Say at once that the port is taken; gunicorn would try for a while and then fail."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            advice = LISTEN_ADVICE.get(error.errno or 0, "Check J5A_BIND and J5A_PORT.")
            raise CommandError(f"Cannot listen on {bind}:{port}: {error.strerror}. {advice}") from error
