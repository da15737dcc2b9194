"""Which job a lock or a verdict was for: "job 7" and "7" are jobs of this panel, everything else is a name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from transcribe.models import Job

__all__ = ["job_number", "jobs_there"]

# At most 18 digits: a longer number is none of ours, and SQLite could not hold it.
_JOB_REF = re.compile(r"(?:job )?([1-9][0-9]{0,17})")


def job_number(job_ref: str) -> int | None:
    found = _JOB_REF.fullmatch(job_ref)
    return None if found is None else int(found.group(1))


def jobs_there(job_refs: Iterable[str]) -> dict[str, int]:
    """The number for each reference whose job has not been deleted: only those have a page to link to."""
    numbers = {ref: number for ref in job_refs if (number := job_number(ref)) is not None}
    there = set(Job.objects.filter(pk__in=set(numbers.values())).values_list("pk", flat=True))
    return {ref: number for ref, number in numbers.items() if number in there}
