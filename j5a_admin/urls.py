"""Addresses of the whole panel."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from j5a_admin.views.dashboard import dashboard, dashboard_live
from j5a_admin.views.doctor import doctor
from j5a_admin.views.gate import gate_live, gate_page
from j5a_admin.views.history import sensors_history
from j5a_admin.views.hours import hours_page
from j5a_admin.views.incident_acts import (
    incident_ack,
    incident_new,
    incident_note,
    incident_open_again,
    incident_solve,
)
from j5a_admin.views.incidents import incident_export, incident_page, incidents_page
from j5a_admin.views.lock import lock_clear, lock_live, lock_page, lock_stop
from j5a_admin.views.report import report_page
from j5a_admin.views.sensors import sensor_use, sensors_live, sensors_page

admin.autodiscover()

handler400 = "j5a_admin.views.errors.bad_request"
handler500 = "j5a_admin.views.errors.server_error"

urlpatterns = [
    path("", dashboard, name="dashboard"),
    path("live/", dashboard_live, name="dashboard-live"),
    path("gate/", gate_page, name="gate"),
    path("gate/live/", gate_live, name="gate-live"),
    path("lock/", lock_page, name="lock"),
    path("lock/live/", lock_live, name="lock-live"),
    path("lock/clear/", lock_clear, name="lock-clear"),
    path("lock/stop/", lock_stop, name="lock-stop"),
    path("sensors/", sensors_page, name="sensors"),
    path("sensors/live/", sensors_live, name="sensors-live"),
    path("sensors/history/", sensors_history, name="sensors-history"),
    path("sensors/use/", sensor_use, name="sensor-use"),
    path("incidents/", incidents_page, name="incidents"),
    path("incidents/new/", incident_new, name="incident-new"),
    path("incidents/<int:incident_id>/", incident_page, name="incident"),
    path("incidents/<int:incident_id>/post-mortem.md", incident_export, name="incident-export"),
    path("incidents/<int:incident_id>/acknowledge/", incident_ack, name="incident-acknowledge"),
    path("incidents/<int:incident_id>/note/", incident_note, name="incident-note"),
    path("incidents/<int:incident_id>/resolve/", incident_solve, name="incident-resolve"),
    path("incidents/<int:incident_id>/reopen/", incident_open_again, name="incident-reopen"),
    path("hours/", hours_page, name="hours"),
    path("report/", report_page, name="report"),
    path("doctor/", doctor, name="doctor"),
    path("jobs/", include("transcribe.urls")),
    path("admin/", admin.site.urls),
]
