from __future__ import annotations

from django.contrib import admin


class PanelSite(admin.AdminSite):
    site_header = "J5A"
