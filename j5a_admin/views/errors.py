"""The answer when a page failed: a fault of ours, or a database that cannot be used just now."""

from __future__ import annotations

import shutil
import sys

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error as fault

from gate.core.units import MIB, bytes_text

RETRY_SECONDS = 30
FULL_BYTES = MIB  # SQLite needs a few pages for its journal and its shared memory


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler of an exception that nobody caught; the exception is still the current one."""
    error = sys.exc_info()[1]
    if not isinstance(error, OperationalError):
        return fault(request)
    text = database_text(str(error), shutil.disk_usage(settings.DATA_DIR).free)
    body = loader.render_to_string(
        "error.html", {"code": 503, "title": "The database cannot be used now", "text": text}
    )
    return HttpResponse(body, status=503, headers={"Retry-After": str(RETRY_SECONDS)})


def database_text(error: str, free_bytes: int) -> str:
    """Cause and next step. `error`: SQLite's own words."""
    safe = "Recordings and finished chunks are on disk, and waiting jobs go on by themselves afterwards."
    if free_bytes < FULL_BYTES:
        return f"The disk of the panel's data is full ({bytes_text(free_bytes)} free). Free some space. {safe}"
    if "locked" in error:
        return f"Another program keeps it locked. Close that program, or wait and reload the page. {safe}"
    return f"SQLite says: {error}. Look at the disk, and at the permissions of the panel's data directory. {safe}"
