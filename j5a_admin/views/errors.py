"""The answer when a page failed: a fault of ours, or a database that cannot be used just now."""

from __future__ import annotations

import sys

from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error as fault

from transcribe.disk import database_trouble, is_damaged

RETRY_SECONDS = 30
SAFE = "Recordings and finished chunks are on disk; waiting jobs go on by themselves afterwards."


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler of an exception that nobody caught; the exception is still the current one."""
    error = sys.exc_info()[1]
    if not isinstance(error, DatabaseError) or not _is_of_the_file(error):
        return fault(request)
    text = database_trouble(error) if is_damaged(str(error)) else f"{database_trouble(error)} {SAFE}"
    context = {"code": 503, "title": "The database cannot be used now", "text": text}
    body = loader.render_to_string("error.html", context)
    return HttpResponse(body, status=503, headers={"Retry-After": str(RETRY_SECONDS)})


def _is_of_the_file(error: DatabaseError) -> bool:
    """Not one of our statements. A damaged file has no class of its own."""
    return isinstance(error, OperationalError) or type(error) is DatabaseError
