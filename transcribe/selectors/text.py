"""The text of a job as its page shows it: a page of segments, and what is new on it."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from transcribe.models import Job, Segment

__all__ = ["SEGMENTS_PER_PAGE", "ShownText", "shown_text"]

SEGMENTS_PER_PAGE = 500  # about 100 KiB, and half an hour of speech


@dataclass(frozen=True, kw_only=True)
class ShownText:
    """`mark` names the segments of this page, and how many there are in all: it changes with what is shown."""

    page: Page[Segment]
    segments: tuple[Segment, ...]
    mark: str

    @property
    def count(self) -> int:
        return self.page.paginator.count

    def after(self, mark: str) -> tuple[Segment, ...] | None:
        """What came behind the segments of an earlier mark; None where others stand in their place now."""
        number = mark.split("-")[0]
        shown = int(number) if number.isdecimal() and len(number) < 9 else 0
        if not shown or not mark.startswith(_mark(self.segments[:shown]) + "-"):
            return None
        return self.segments[shown:]


def shown_text(job: Job, page: str | None) -> ShownText:
    found = Paginator(_segments(job), SEGMENTS_PER_PAGE).get_page(page)
    segments = tuple(found.object_list)
    return ShownText(page=found, segments=segments, mark=f"{_mark(segments)}-{found.paginator.count}")


def _segments(job: Job) -> QuerySet[Segment]:
    shown = job.segments.order_by("chunk__index", "index")
    return shown.only("job_id", "start_seconds", "end_seconds", "text")


def _mark(segments: tuple[Segment, ...]) -> str:
    """Their number and the sum of their keys: a chunk that was read again has others."""
    return f"{len(segments)}-{sum(segment.pk for segment in segments)}"
