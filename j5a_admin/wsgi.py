"""WSGI entry point of the web process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "j5a_admin.settings")

SILENT_SECONDS = 30.0  # a browser that sends or takes nothing for so long gives its thread back

_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    connection = environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(SILENT_SECONDS)
    return _django(environ, start_response)
