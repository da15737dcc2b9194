"""A number in a record's filter that no column and no calendar holds is a 400 with a sentence, not a fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib import admin
from django.test import Client

from tests.support.every_page import fill

pytestmark = pytest.mark.django_db

admin.autodiscover()
LISTS = sorted(f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry)
LONG = "9" * 30
QUERIES = [
    *(f"id__{lookup}={LONG}" for lookup in ("in", "exact", "gt", "lte", "range")),
    f"id__range=1,{LONG}", f"id__in=1,{LONG}", f"id=-{LONG}", f"p={LONG}", f"o={LONG}", f"e={LONG}", f"pk={LONG}",
]  # fmt: skip
DATES = [
    f"{field}__{lookup}={number}"
    for field in ("taken_at", "last_at", "at", "created_at", "attempt_time", "updated_at", "begins_at")
    for lookup in ("year", "year__gte", "month", "day", "gte", "date")
    for number in ("0", "-1", "10000", LONG)
]


def refused(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code in {200, 400}, address
    if answer.status_code == 400:
        assert "could not be read" in answer.content.decode()


@pytest.mark.parametrize("page", LISTS)
def test_it_is_a_400(admin_client: Client, tmp_path: Path, page: str) -> None:
    fill(tmp_path / "mine.pt")
    for query in [*QUERIES, *DATES]:
        refused(admin_client, f"{page}?{query}")


@pytest.mark.parametrize(
    "query", [f"id__in={LONG}", "taken_at__year=10000", "taken_at__year=0", f"taken_at__year={LONG}"]
)
def test_the_sentence_is_there(admin_client: Client, tmp_path: Path, query: str) -> None:
    fill(tmp_path / "mine.pt")
    assert admin_client.get(f"/admin/gate/sensorsample/?{query}").status_code == 400
