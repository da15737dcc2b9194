"""What a start needs of the machine before anything is made: an address to listen on, and the lock's folder."""

from __future__ import annotations

import errno
import socket

from django.conf import settings
from django.core.management.base import CommandError

from gate.core.checks import LOCK_DIR_ADVICE
from gate.core.errors import LockError
from gate.services import lock_prepare

LISTEN_ADVICE = {
    errno.EADDRINUSE: "Is the panel running already? Otherwise choose another port with J5A_PORT.",
    errno.EADDRNOTAVAIL: "J5A_BIND must be an address of this machine.",
    errno.EACCES: "Ports below 1024 are for root: choose another with J5A_PORT.",
}
LISTEN_ADVICE_OTHERWISE = "Check J5A_BIND and J5A_PORT."


def require_startable() -> None:
    """Say at once what would fail later; gunicorn would try the port for a while first.

    Raises:
        CommandError: with the cause and the next step.
    """
    problem = bind_problem(settings.BIND, settings.PORT)
    if problem is not None:
        advice = LISTEN_ADVICE.get(problem.errno or 0, LISTEN_ADVICE_OTHERWISE)
        raise CommandError(f"Cannot listen on {settings.BIND}:{settings.PORT}: {problem.strerror}. {advice}")
    try:
        lock_prepare()
    except LockError as error:
        raise CommandError(f"{error}. {LOCK_DIR_ADVICE}") from error


def bind_problem(bind: str, port: int) -> OSError | None:
    """Why the address cannot be listened on. The option lets a port pass that only waits for old connections."""
    try:  # a kernel without IPv6 makes no such socket
        with socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((bind, port))
    except OSError as problem:
        return problem
    return None
