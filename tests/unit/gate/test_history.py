"""The machine's history: each sample in the summaries once, whatever happens, and nothing kept for too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError
from pytest_django import Settings

from gate.models import GateState, SampleSummary, SensorSample
from gate.services import TimeSpan, history_prune, history_summarise, protect_spans, protection

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _mini(settings: Settings) -> None:
    settings.HOST_ID = "mini"


@pytest.fixture
def sources() -> Iterator[None]:
    before = list(protection._span_sources)
    yield
    protection._span_sources[:] = before


def sample(seconds: float, celsius: float | None = 45.0, host: str = "mini") -> SensorSample:
    at = NOON + timedelta(seconds=seconds)
    return SensorSample.objects.create(host=host, taken_at=at, celsius=celsius, available_bytes=1000, load1=0.5)


def rows(width_seconds: int = 60) -> list[tuple[object, ...]]:
    """Seconds after noon, samples, and least, mean, most, count of the temperature."""
    found = SampleSummary.objects.filter(host="mini", width_seconds=width_seconds).order_by("begins_at_seconds")
    start = int(NOON.timestamp())
    return [
        (r.begins_at_seconds - start, r.sample_count, r.celsius_least, r.celsius_mean, r.celsius_most, r.celsius_count)
        for r in found
    ]


def test_it_keeps_minutes_and_tens_of_minutes() -> None:
    for seconds, celsius in ((0, 40.0), (30, 50.0), (60, 60.0), (599, 70.0), (600, 80.0)):
        sample(seconds, celsius)
    assert history_summarise() == 5
    assert rows(60) == [
        (0, 2, 40.0, 45.0, 50.0, 2),
        (60, 1, 60.0, 60.0, 60.0, 1),
        (540, 1, 70.0, 70.0, 70.0, 1),
        (600, 1, 80.0, 80.0, 80.0, 1),
    ]
    assert rows(600) == [(0, 4, 40.0, 55.0, 70.0, 4), (600, 1, 80.0, 80.0, 80.0, 1)]


def test_every_measure_is_kept() -> None:
    values = {"celsius": 45.5, "available_bytes": 7 * 2**40, "swap_used_bytes": 3, "load1": 0.25, "fan_rpm": 1800}
    SensorSample.objects.create(host="mini", taken_at=NOON, **values)
    history_summarise()
    row = SampleSummary.objects.get(width_seconds=60)
    for name, value in values.items():
        found = [getattr(row, f"{name}_{part}") for part in ("least", "mean", "most", "count")]
        assert found == [value, value, value, 1], name


def test_a_second_run_changes_nothing() -> None:
    sample(0)
    sample(5)
    history_summarise()
    before = list(SampleSummary.objects.order_by("pk").values())
    assert history_summarise() == 0
    assert list(SampleSummary.objects.order_by("pk").values()) == before


def test_a_late_sample_and_one_of_a_clock_set_back_find_their_minute() -> None:
    sample(0, 40.0)
    sample(600, 50.0)
    history_summarise()
    sample(5, 60.0)
    sample(-86_400, 30.0)
    assert history_summarise() == 2
    assert [row[:2] for row in rows(60)] == [(-86_400, 1), (0, 2), (600, 1)]
    assert rows(60)[1] == (0, 2, 40.0, 50.0, 60.0, 2)


def test_a_minute_goes_on_after_its_samples_are_gone() -> None:
    sample(0, 40.0)
    history_summarise()
    SensorSample.objects.all().delete()
    sample(10, 60.0)
    history_summarise()
    assert rows(60) == [(0, 2, 40.0, 50.0, 60.0, 2)]


def test_what_could_not_be_read_is_not_counted() -> None:
    sample(0, None)
    history_summarise()
    assert rows(60) == [(0, 1, None, None, None, 0)]


def test_a_failure_in_between_leaves_nothing_and_the_next_run_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sample(0, 40.0)
    sample(5, 50.0)
    written: list[int] = []
    from gate.services import history

    add = history._add

    def fail_at_the_second_width(host: str, new: list[object]) -> None:
        if written:
            raise DatabaseError("disk full")
        written.append(1)
        add(host, new)  # type: ignore[arg-type]

    with monkeypatch.context() as broken:
        broken.setattr(history, "_add", fail_at_the_second_width)
        with pytest.raises(DatabaseError):
            history_summarise()
    assert written == [1]
    assert not SampleSummary.objects.exists()
    assert history_summarise() == 2
    assert (rows(60), rows(600)) == ([(0, 2, 40.0, 45.0, 50.0, 2)],) * 2


def test_many_samples_are_added_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.services.history.BATCH_ROWS", 7)
    for at in range(30):
        sample(at * 5)
    assert history_summarise() == 30
    assert [row[:2] for row in rows(60)] == [(0, 12), (60, 12), (120, 6)]
    assert GateState.objects.get(host="mini").summarised_sample == SensorSample.objects.latest("pk").pk


def test_another_machine_is_not_touched() -> None:
    sample(0, host="other")
    assert history_summarise() == 0
    assert not SampleSummary.objects.exists()


# ── how long it is kept ──────────────────────────────────────────────────────────────────────────
def kept() -> list[float]:
    """Hours before noon of the samples that are there."""
    return sorted((NOON - row.taken_at).total_seconds() / 3600 for row in SensorSample.objects.filter(host="mini"))


def summary(days: float, width_seconds: int, host: str = "mini") -> None:
    begins = int((NOON - timedelta(days=days)).timestamp())
    SampleSummary.objects.create(host=host, width_seconds=width_seconds, begins_at_seconds=begins, sample_count=1)


def kept_days(width_seconds: int) -> list[float]:
    begins = SampleSummary.objects.filter(host="mini", width_seconds=width_seconds).values_list("begins_at_seconds")
    return sorted((NOON.timestamp() - seconds) / 86_400 for (seconds,) in begins)


def test_samples_are_kept_for_two_days() -> None:
    for hours in (47.9, 48.0, 48.1, 100):
        sample(-3600 * hours)
    history_summarise()
    SampleSummary.objects.all().delete()
    assert history_prune(NOON) == 2
    assert kept() == [47.9, 48.0]


def test_a_sample_that_is_in_no_summary_yet_is_kept() -> None:
    sample(-3600 * 100)
    history_prune(NOON)
    assert kept() == [100.0]


def test_minutes_are_kept_for_thirty_days_and_tens_of_minutes_for_a_year() -> None:
    for days in (29, 30, 31, 364, 365, 366):
        summary(days, 60)
        summary(days, 600)
    summary(999, 60, host="other")
    history_prune(NOON)
    assert kept_days(60) == [29.0, 30.0]
    assert kept_days(600) == [29.0, 30.0, 31.0, 364.0, 365.0]
    assert SampleSummary.objects.filter(host="other").count() == 1


@pytest.mark.usefixtures("sources")
def test_what_is_protected_outlives_its_time() -> None:
    def around(hours: float) -> TimeSpan:
        middle = NOON - timedelta(hours=hours)
        return TimeSpan(middle - timedelta(minutes=5), middle + timedelta(minutes=5))

    protect_spans(lambda: [around(100), around(31 * 24)])
    for hours in (99, 100, 101, 31 * 24):
        sample(-3600 * hours)
    history_summarise()
    SampleSummary.objects.all().delete()
    for days in (31, 32):
        summary(days, 60)
    history_prune(NOON)
    assert kept() == [100.0, 31 * 24.0]
    assert kept_days(60) == [31.0]
