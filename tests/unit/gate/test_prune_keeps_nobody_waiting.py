"""Old rows go in small steps found by the index, however many incidents protect a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from gate.conf import host_id
from gate.models import GateState, LockEvent, SampleSummary, SensorSample, VerdictRecord
from gate.services import TimeSpan, history_prune, protection, records_prune

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
INCIDENTS, ROWS = 5_000, 20_000
WRITE_SECONDS, TOTAL_SECONDS = 0.5, 60.0  # on a busy machine
WRITES = 200  # of 500 rows each; it was one for each gap and kind


def moment(index: int) -> datetime:
    return NOW - timedelta(days=100, minutes=index * 5)


@pytest.fixture
def _full(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = tuple(TimeSpan(moment(4 * i) - timedelta(minutes=1), moment(4 * i)) for i in range(INCIDENTS))
    monkeypatch.setattr(protection, "_span_sources", [lambda: spans])
    host, moments = host_id(), [moment(index) for index in range(ROWS)]
    verdict = {"host": host, "model": "demo", "purpose": "start", "admitted": True, "reason": "", "data": {}}
    VerdictRecord.objects.bulk_create(VerdictRecord(taken_at=at, last_at=at, **verdict) for at in moments)
    LockEvent.objects.bulk_create(LockEvent(host=host, kind="acquired", at=at) for at in moments)
    SensorSample.objects.bulk_create(SensorSample(host=host, taken_at=at) for at in moments)
    last = SensorSample.objects.latest("pk").pk
    GateState.objects.create(host=host, summarised_sample=last)


@contextmanager
def longest_writes(found: list[float]) -> Iterator[None]:
    """Seconds of each statement that writes, in a transaction of its own: for so long other writers wait."""

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.monotonic()
        result = execute(sql, params, many, context)
        if not sql.lstrip().startswith("SELECT"):
            found.append(time.monotonic() - started)
        return result

    with connection.execute_wrapper(look):
        yield


@pytest.mark.usefixtures("_full")
def test_it_removes_what_lies_between_in_short_writes() -> None:
    writes: list[float] = []
    begun = time.monotonic()
    with longest_writes(writes):
        pruned = records_prune(NOW - timedelta(days=90))
        samples = history_prune(NOW)
    assert time.monotonic() - begun < TOTAL_SECONDS
    assert len(writes) < WRITES
    assert max(writes) < WRITE_SECONDS
    assert (pruned.verdicts, pruned.lock_events, samples) == (ROWS - INCIDENTS,) * 3
    assert VerdictRecord.objects.count() == SensorSample.objects.count() == INCIDENTS


@pytest.mark.usefixtures("_full")
def test_it_writes_nothing_where_nothing_is_old() -> None:
    for model in (VerdictRecord, LockEvent, SensorSample, SampleSummary):
        model.objects.all().delete()
    writes: list[float] = []
    with longest_writes(writes):
        records_prune(NOW - timedelta(days=90))
        history_prune(NOW)
    assert writes == []
