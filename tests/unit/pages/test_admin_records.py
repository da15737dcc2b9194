"""Records are for reading: no button and no address of the admin changes a job or the gate's history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client

from tests.support.every_page import GATE_TABLES, admin_addresses, fill
from tests.support.markup import elements
from tests.support.rows import submitted
from transcribe.models import Job

pytestmark = pytest.mark.django_db

READ_ONLY = [
    ("gate", "sensorsample"),
    ("gate", "samplesummary"),
    ("gate", "verdictrecord"),
    ("gate", "lockevent"),
    ("gate", "gatestate"),
    ("gate", "policychange"),
    ("gate", "incident"),
    ("gate", "incidentevent"),
    ("gate", "incidentevidence"),
    ("transcribe", "job"),
    ("transcribe", "attempt"),
    ("axes", "accessattempt"),
    ("axes", "accessfailurelog"),
]


@pytest.mark.parametrize(("app", "table"), READ_ONLY)
def test_a_record_is_shown_and_refuses_every_change(
    administrator: Client, tmp_path: Path, app: str, table: str
) -> None:
    fill(tmp_path / "mine.pt")
    rows = apps.get_model(app, table).objects
    before = list(rows.order_by("pk").values())
    assert before
    base = f"/admin/{app}/{table}/"
    for row in rows.all():
        assert administrator.get(f"{base}{row.pk}/change/").status_code == 200
        assert administrator.post(f"{base}{row.pk}/change/", {}).status_code == 403
        assert administrator.get(f"{base}{row.pk}/delete/").status_code == 403
        assert administrator.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert administrator.get(f"{base}add/").status_code == 403
    assert administrator.post(f"{base}add/", {}).status_code == 403
    everything = {"action": "delete_selected", "_selected_action": [str(row.pk) for row in rows.all()], "post": "yes"}
    administrator.post(base, everything)
    assert list(rows.order_by("pk").values()) == before


def test_the_pages_of_a_record_offer_no_change(administrator: Client, tmp_path: Path) -> None:
    fill(tmp_path / "mine.pt")
    for app, table in READ_ONLY:
        answer = administrator.get(f"/admin/{app}/{table}/")
        assert elements(answer, "a", class_="addlink") == []
        assert elements(answer, "select", name="action") == []
        row = apps.get_model(app, table).objects.first()
        page = administrator.get(f"/admin/{app}/{table}/{row.pk}/change/")
        assert elements(page, "input", type="submit") == []
        assert elements(page, "a", class_="deletelink") == []


def test_the_admin_shows_these_tables_and_no_others() -> None:
    shown = {(model._meta.app_label, model._meta.model_name) for model in admin.site._registry}
    assert shown == {*READ_ONLY, ("transcribe", "registeredmodel"), ("auth", "user"), ("auth", "group")}


@pytest.mark.parametrize("address", ["", "task/", "schedule/", "ormq/", "ormq/add/", "success/", "failure/"])
def test_the_tables_of_the_task_queue_are_not_there(administrator: Client, address: str) -> None:
    assert administrator.get(f"/admin/django_q/{address}").status_code == 404
    assert "django_q" not in administrator.get("/admin/").content.decode()


def test_every_link_of_the_admin_leads_somewhere(administrator: Client, tmp_path: Path) -> None:
    fill(tmp_path / "mine.pt")
    found = {address: _links(administrator.get(address)) for address in admin_addresses()}
    followed = {link: administrator.get(link).status_code for link in set().union(*found.values())}
    dead = {link for link, status in followed.items() if status not in {200, 302}}
    assert {address: links & dead for address, links in found.items() if links & dead} == {}


def _links(answer: Any) -> set[str]:
    targets = (e["href"] for e in elements(answer, "a") if e.attributes.get("href"))
    return {target for target in targets if target.startswith("/")}


def test_the_search_and_filters_of_the_lists_work(administrator: Client) -> None:
    job = submitted(title="Board meeting")
    for query in ("?q=board", "?status__exact=queued", f"?q={job.audio_sha256}", "?model=demo", "?o=-1.2"):
        answer = administrator.get(f"/admin/transcribe/job/{query}")
        assert f"/admin/transcribe/job/{job.pk}/change/" in answer.content.decode(), query
    for query in ("?q=nothing-like-it", "?status__exact=failed"):
        assert "/change/" not in administrator.get(f"/admin/transcribe/job/{query}").content.decode(), query
    assert Job.objects.count() == 1


@pytest.mark.parametrize("table", GATE_TABLES)
def test_empty_lists_are_shown(administrator: Client, table: str) -> None:
    assert administrator.get(f"/admin/gate/{table}/").status_code == 200
