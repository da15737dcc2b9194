"""Addresses of the whole panel."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from j5a_admin.views.dashboard import dashboard, dashboard_live

urlpatterns = [
    path("", dashboard, name="dashboard"),
    path("live/", dashboard_live, name="dashboard-live"),
    path("jobs/", include("transcribe.urls")),
    path("admin/", admin.site.urls),
]
