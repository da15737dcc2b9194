"""Addresses of the whole panel."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from j5a_admin import views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("live/", views.dashboard_live, name="dashboard-live"),
    path("jobs/", include("transcribe.urls")),
    path("admin/", admin.site.urls),
]
