"""The admin site: for records. The panel's own pages are views of their own."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import BadRequest
from django.db import ProgrammingError
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse

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
