"""The answer when a page failed: a fault of ours, a database that cannot be used, an address that does not fit."""

from __future__ import annotations

import sys

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.views.csrf import csrf_failure as form_too_old
from django.views.defaults import bad_request as unreadable
from django.views.defaults import server_error as fault

from j5a_admin.views.origin import origin_advice
from transcribe.disk import database_trouble, is_damaged

RETRY_SECONDS = 30
SAFE = "Recordings and finished chunks are on disk; waiting jobs go on by themselves afterwards."

UNKNOWN_HOST = (
    "The name in the address bar is not in J5A_ALLOWED_HOSTS. Add it there and start the panel again, or open the "
    "panel under a name that is. Behind a proxy, the proxy must pass on the Host header that the browser sent."
)
PROTO_MISSING = (
    "J5A_HTTPS=1 is set, and the proxy does not send X-Forwarded-Proto. Let it send X-Forwarded-Proto: https (nginx: "
    "proxy_set_header X-Forwarded-Proto $scheme). If there is no proxy that speaks TLS, leave J5A_HTTPS away."
)
# django/middleware/csrf.py: REASON_BAD_ORIGIN, REASON_BAD_REFERER and its relatives; all others are about the token
ADDRESS_REASONS = ("Origin checking failed", "Referer checking failed")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not isinstance(exception, DisallowedHost):
        return unreadable(request, exception)
    context = {"code": 400, "title": "The panel is not known under this name", "text": UNKNOWN_HOST}
    return HttpResponse(loader.render_to_string("error.html", context), status=400)


def proto_missing() -> HttpResponse:
    context = {"code": 400, "title": "The panel was not asked through its TLS proxy", "text": PROTO_MISSING}
    return HttpResponse(loader.render_to_string("error.html", context), status=400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's view for a form that is refused: too old, or sent from an address that is not the panel's."""
    if not reason.startswith(ADDRESS_REASONS):
        return form_too_old(request, reason)
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    text = origin_advice(origin, request.get_host(), is_secure=request.is_secure(), https_is_set=settings.HTTPS)
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"error": text}, status=403)
    context = {"code": 403, "title": "This form came from another address", "text": text}
    return HttpResponse(loader.render_to_string("error.html", context, request), status=403)


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
