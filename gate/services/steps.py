"""Remove many rows without keeping other writers waiting: looked for outside a transaction, removed in short ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from django.db.models import QuerySet

__all__ = ["STEP_ROWS", "rows_count", "rows_remove"]

STEP_ROWS = 500  # a few milliseconds


def rows_remove(old: QuerySet[Any], stretches: Iterable[QuerySet[Any]]) -> int:
    """Remove the rows of `old` that lie in one of the stretches, each of which an index bounds; how many."""
    found = chain.from_iterable(rows.order_by().values_list("pk", flat=True) for rows in stretches)
    return sum(old.filter(pk__in=step).delete()[0] for step in _steps(iter(found)))


def rows_count(_: QuerySet[Any], stretches: Iterable[QuerySet[Any]]) -> int:
    """How many `rows_remove` would remove."""
    return sum(rows.count() for rows in stretches)


def _steps(found: Iterator[int]) -> Iterator[list[int]]:
    while step := list(islice(found, STEP_ROWS)):
        yield step
