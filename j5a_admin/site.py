"""The admin site: for records. The panel's own pages are views of their own."""

from __future__ import annotations

import threading
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.db import ProgrammingError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

LOGINS_AT_A_TIME = 2
_checking = threading.BoundedSemaphore(LOGINS_AT_A_TIME)
IMPOSSIBLE = "A number in the address is too large, or no date."


def _with_possible_numbers(view: Any) -> Any:
    """A number in a filter that no date and no column can hold fails as late as in the database, or on the page."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            response = view(request, *args, **kwargs)
            response = response.render() if isinstance(response, SimpleTemplateResponse) else response
        except (OverflowError, ValueError, ProgrammingError) as error:  # the last: a range of one
            if not isinstance(error, OverflowError) and not request.GET:
                raise
            raise BadRequest(IMPOSSIBLE) from error
        if isinstance(response, HttpResponseRedirect) and response.url.endswith(f"?{ERROR_FLAG}=1"):
            raise BadRequest(IMPOSSIBLE)  # Django would show the list without any filter
        return response

    return answered


class PanelSite(admin.AdminSite):
    site_header = "J5A"
    site_title = "J5A"
    index_title = "Records"
    site_url = None
    enable_nav_sidebar = False

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """A password costs a tenth of a second of a core to check: a flood of them must leave the pages some."""
        if request.method != "POST":
            return super().login(request, extra_context)
        if not _checking.acquire(blocking=False):
            return self._login_busy(request)
        try:
            return super().login(request, extra_context)
        finally:
            _checking.release()

    def _login_busy(self, request: HttpRequest) -> HttpResponse:
        request.method = "GET"  # the form again, without a try
        page = super().login(request, {"locked_out": "Too many logins at once. Try again in a moment."})
        page.status_code = 503
        page["Retry-After"] = "2"
        return page

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        there = (settings.DATA_DIR / "first_password").exists()
        return {**super().each_context(request), "has_first_password": there}

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(_with_possible_numbers(view), cacheable)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register, but leave out django-q2's tables: a row written there names a function that is then called."""
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        wanted = [model for model in models if model._meta.app_label != "django_q"]
        if wanted:
            super().register(wanted, admin_class, **options)
