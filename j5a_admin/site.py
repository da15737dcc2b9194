"""The admin site: for records. The panel's own pages are views of their own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest


class PanelSite(admin.AdminSite):
    site_header = "J5A"
    site_title = "J5A"
    index_title = "Records"
    site_url = None
    enable_nav_sidebar = False

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        there = (settings.DATA_DIR / "first_password").exists()
        return {**super().each_context(request), "has_first_password": there}

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register, but leave out django-q2's tables: a row written there names a function that is then called."""
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        wanted = [model for model in models if model._meta.app_label != "django_q"]
        if wanted:
            super().register(wanted, admin_class, **options)
