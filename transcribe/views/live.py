"""Parts of pages that ask every two seconds: what shows the same as before is not sent again."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

__all__ = ["live_answer", "with_version"]

_HERE = "version-of-this-part"  # the part carries its version in the address it asks, so it is filled in last
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')  # another one with every answer


def with_version(request: HttpRequest, part: str, context: dict[str, Any]) -> dict[str, Any]:
    """The context of a page that shows `part`, with the version by which the first poll asks."""
    return context | {"version": _version(_rendered(request, part, context))}


def live_answer(request: HttpRequest, part: str, context: dict[str, Any], whole: str = "") -> HttpResponse:
    """The part, or the `whole` answer that other parts ride along in; 204, which htmx leaves alone, when it is old."""
    text = _rendered(request, part, context)
    version = _version(text)
    if request.GET.get("version") == version:
        return HttpResponse(status=204)
    if whole:
        return HttpResponse(render_to_string(whole, context | {"version": version}, request))
    return HttpResponse(text.replace(_HERE, version))


def _rendered(request: HttpRequest, part: str, context: dict[str, Any]) -> str:
    return render_to_string(part, context | {"version": _HERE}, request)


def _version(text: str) -> str:
    return hashlib.sha256(_TOKEN.sub("", text).encode()).hexdigest()[:16]
