"""A panel of an earlier version gets the first incident, and its groups the new permissions. On a real database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.panel import BASE_DIR, Panel

BEFORE = (
    "import django; django.setup()\n"
    "from django.contrib.auth.models import Group, Permission\n"
    "old = Permission.objects.filter(content_type__app_label='gate', codename='view_gatestate')\n"
    "for name in ('Operators', 'Administrators', 'Guests'):\n"
    "    Group.objects.create(name=name).permissions.set(old)\n"
)
GROUPS = (
    "SELECT g.name, p.codename FROM auth_group g JOIN auth_group_permissions gp ON gp.group_id = g.id"
    " JOIN auth_permission p ON p.id = gp.permission_id"
)


def test_groups_and_the_first_record(tmp_path: Path) -> None:
    panel = Panel(tmp_path)
    old = panel.manage("migrate", "gate", "0002", "--verbosity=0", timeout=240)
    assert old.returncode == 0, old.stderr
    rest = panel.manage("migrate", "auth", "--verbosity=0", timeout=240)
    assert rest.returncode == 0, rest.stderr
    env = {**panel.env, "DJANGO_SETTINGS_MODULE": "j5a_admin.settings"}
    made = subprocess.run([sys.executable, "-c", BEFORE], cwd=BASE_DIR, env=env, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    new = panel.manage("migrate", "--verbosity=0", timeout=240)
    assert new.returncode == 0, new.stderr
    may: dict[str, set[str]] = {"Operators": set(), "Administrators": set(), "Guests": set()}
    for row in panel.rows(GROUPS):
        may[row["name"]].add(row["codename"])
    views = {"view_gatestate", "view_incident", "view_incidentevent", "view_incidentevidence"}
    assert may["Operators"] == views | {"handle_incident"}
    assert may["Administrators"] >= views | {"handle_incident", "resolve_incident"}
    assert may["Guests"] == {"view_gatestate"}
    (incident,) = panel.rows("SELECT * FROM gate_incident")
    assert (incident["host"], incident["status"], incident["count"]) == ("mac-mini-2012", "resolved", 2)
    assert incident["first_at"] == "2025-10-15 10:37:54"
