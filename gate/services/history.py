"""Keep the machine's history: samples into summaries, and away with what is older than is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from gate.conf import host_id
from gate.core.history import KEPT, WIDTHS, Measure, Point, Spread, Summary, merged, summaries
from gate.models import GateState, SampleSummary, SensorSample
from gate.services.protection import TimeSpan, gaps_between, protected_spans
from gate.services.steps import rows_remove

__all__ = ["RAW_KEPT", "history_prune", "history_summarise"]

RAW_KEPT = timedelta(hours=48)
# In one transaction. Two days of samples after an update are seventy such steps; each takes a MB for a moment.
BATCH_ROWS = 500
_PARTS = ("least", "mean", "most", "count")
_COLUMNS = [f"{measure}_{part}" for measure in Measure for part in _PARTS]


def history_summarise() -> int:
    """Add every sample that is not in the summaries yet; returns how many were. Again at once: none.

    The number of the last one is kept in the same transaction: a sample is added once, whatever is killed, however
    late it comes and whatever its clock said.
    """
    count = 0
    while added := _summarise_batch():
        count += added
    return count


def _summarise_batch() -> int:
    host = host_id()
    with transaction.atomic():
        GateState.objects.get_or_create(host=host)
        done = GateState.objects.select_for_update().values_list("summarised_sample", flat=True).get(host=host)
        rows = list(
            SensorSample.objects.filter(host=host, pk__gt=done)
            .order_by("pk")
            .values_list("pk", "taken_at", *Measure)[:BATCH_ROWS]
        )
        if not rows:
            return 0
        points = [_point(taken_at, values) for _, taken_at, *values in rows]
        for width_seconds in WIDTHS:
            _add(host, summaries(points, width_seconds))
        moved = GateState.objects.filter(host=host, summarised_sample=done).update(summarised_sample=rows[-1][0])
        if moved != 1:  # cannot be while the row is ours; if it is, nothing of this batch may stay
            raise RuntimeError(f"the history of {host} was summarised by two at once")
    return len(rows)


def history_prune(now: datetime) -> int:
    """Remove samples and summaries that are older than is kept, but none that is protected; returns how many rows.

    A sample that is in no summary yet stays.
    """
    host, spans = host_id(), protected_spans()
    done = GateState.objects.filter(host=host).values_list("summarised_sample", flat=True).first() or 0
    samples = SensorSample.objects.filter(host=host, pk__lte=done)
    gaps = gaps_between(spans, now - RAW_KEPT)
    removed = rows_remove(samples, (samples.filter(taken_at__gt=after, taken_at__lt=before) for after, before in gaps))
    return removed + sum(_summaries_prune(host, now, width_seconds, spans) for width_seconds in KEPT)


def _summaries_prune(host: str, now: datetime, width_seconds: int, spans: Sequence[TimeSpan]) -> int:
    """Those go that are older than is kept and lie wholly between protected times."""
    ends_before = now - timedelta(seconds=KEPT[width_seconds])
    mine = SampleSummary.objects.filter(host=host, width_seconds=width_seconds)
    stale = []
    for after, before in gaps_between(spans, ends_before):
        end = int(before.timestamp()) - (0 if before == ends_before else width_seconds - 1)
        stale.append(mine.filter(begins_at_seconds__gt=int(after.timestamp()), begins_at_seconds__lt=end))
    return rows_remove(mine, stale)


def _point(taken_at: datetime, values: Iterable[float | None]) -> Point:
    read = zip(Measure, values, strict=True)
    return Point(
        at_seconds=taken_at.timestamp(), values={name: float(value) for name, value in read if value is not None}
    )


def _add(host: str, new: list[Summary]) -> None:
    """Insert, or add to the row that is there."""
    begins = [summary.begins_at_seconds for summary in new]
    here = SampleSummary.objects.filter(host=host, width_seconds=new[0].width_seconds, begins_at_seconds__in=begins)
    there = {row.begins_at_seconds: _summary(row) for row in here}
    rows = [
        _row(host, merged(there[summary.begins_at_seconds], summary) if summary.begins_at_seconds in there else summary)
        for summary in new
    ]
    SampleSummary.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["host", "width_seconds", "begins_at_seconds"],
        update_fields=["sample_count", *_COLUMNS],
        batch_size=200,
    )


def _summary(row: SampleSummary) -> Summary:
    empty = Summary(
        width_seconds=row.width_seconds,
        begins_at_seconds=row.begins_at_seconds,
        sample_count=row.sample_count,
        spreads={},
    )
    parts = {measure: [getattr(row, f"{measure}_{part}") for part in _PARTS] for measure in Measure}
    spreads = {
        measure: Spread(least=least, mean=mean, most=most, count=count)
        for measure, (least, mean, most, count) in parts.items()
        if count
    }
    return replace(empty, spreads=spreads)


def _row(host: str, summary: Summary) -> SampleSummary:
    row = SampleSummary(
        host=host,
        width_seconds=summary.width_seconds,
        begins_at_seconds=summary.begins_at_seconds,
        sample_count=summary.sample_count,
    )
    for measure, spread in summary.spreads.items():
        for part in _PARTS:
            setattr(row, f"{measure}_{part}", getattr(spread, part))
    return row
