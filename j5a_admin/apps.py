"""Application configurations of the panel itself."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps  # the module: its class would count as a second default


class J5aAdminConfig(AppConfig):
    name = "j5a_admin"

    def ready(self) -> None:
        from j5a_admin import system_checks  # noqa: F401 - registers the checks


class SiteAdminConfig(admin_apps.SimpleAdminConfig):
    """Django's admin with our site in place of the stock one.

    What it shows is registered with the addresses (j5a_admin/urls.py): sampler, worker and `gate run` have no pages,
    and stay smaller without them.
    """

    default_site = "j5a_admin.site.PanelSite"
