"""What past runs took is told beside the table's figure, and raises it; it never lowers it."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from gate.core.requirement import requirement_for_model
from gate.core.units import GIB, MIB
from tests.support.rows import submitted
from transcribe.models import Attempt
from transcribe.resolve import model_requirement

pytestmark = pytest.mark.django_db


def ran(model: str, *peaks: int | None, host: str = "mini") -> None:
    job = submitted()
    type(job).objects.filter(pk=job.pk).update(model=model)
    for number, peak_bytes in enumerate(peaks, 100):
        Attempt.objects.create(job=job, number=number, host=host, peak_bytes=peak_bytes)


@pytest.fixture(autouse=True)
def _mini(settings: Settings) -> None:
    settings.HOST_ID = "mini"


def test_without_a_run_the_table_counts() -> None:
    assert model_requirement("tiny") == requirement_for_model("tiny")


def test_a_smaller_peak_is_told_and_lowers_nothing() -> None:
    ran("tiny", 700 * MIB, 300 * MIB)
    found = model_requirement("tiny")
    assert found.bytes == GIB
    assert found.source.endswith("; largest of 2 runs here: 700 MiB")


def test_a_larger_peak_counts() -> None:
    ran("tiny", 2 * GIB)
    found = model_requirement("tiny")
    assert found.bytes == 2 * GIB
    assert found.source.endswith("; largest of 1 run here: 2.0 GiB, which counts")


def test_only_runs_of_this_model_on_this_host_that_were_measured_count() -> None:
    ran("small", 5 * GIB)
    ran("tiny", 5 * GIB, host="other")
    ran("tiny", None, 0)
    assert model_requirement("tiny") == requirement_for_model("tiny")
