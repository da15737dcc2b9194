"""Every address that the panel answers to, read from its own list of patterns."""

from __future__ import annotations

import re

from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, URLResolver, get_resolver

from gate.services import incident_open_or_join
from tests.support.occurrences import occurrence
from transcribe.models import Job


def patterns(resolver: URLResolver | None = None, before: str = "") -> list[str]:
    found: list[str] = []
    for entry in (resolver or get_resolver()).url_patterns:
        here = before + str(entry.pattern)
        found += [here] if isinstance(entry, URLPattern) else patterns(entry, here)
    return found


def all_addresses(job: Job) -> list[str]:
    """One address for each pattern, with the numbers of rows that are there."""
    content_type = ContentType.objects.get_for_model(Job).pk
    values = {
        "<int:job_id>": str(job.pk),
        "<int:incident_id>": str(incident_open_or_join(occurrence()).pk),
        "<int:index>": "0",
        "<slug:format>": "txt",
        "<int:attempt>": "1",
        "<path:content_type_id>": str(content_type),
        "<path:object_id>": str(job.pk),
        "<id>": "1",
        "^(?P<app_label>gate|axes|transcribe|auth)/$": "gate/",
        "(?P<url>.*)$": "nothing-here/",
    }
    return ["/" + _filled(pattern, values) for pattern in patterns()]


def own_addresses(job: Job) -> list[str]:
    """The panel's own pages, without Django's admin."""
    return [address for address in all_addresses(job) if not address.startswith("/admin/")]


def _filled(pattern: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        pattern = pattern.replace(name, value)
    assert re.search(r"[<>^$()]", pattern) is None, f"{pattern}: give its variable a value here"
    return pattern
