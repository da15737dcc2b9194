"""Free disk: for the largest weights that may still come, and for uploads."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.core.units import GIB, MIB
from j5a_admin.doctor.findings import Status
from j5a_admin.doctor.storage import judge_models_disk, judge_uploads_disk, largest_missing, weights_bytes
from transcribe.weights import SPARE_DISK_BYTES

HERE = Path("/somewhere")
NOTHING: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("room_bytes", "here", "missing"),
    [
        (10 * GIB, NOTHING, "large-v3"),
        (10 * GIB - 1, NOTHING, "turbo"),
        (10 * GIB, frozenset({"large-v3"}), "turbo"),
        (1 * GIB, NOTHING, "base"),
        (1 * GIB - 1, NOTHING, None),
        (1 * GIB, frozenset({"tiny", "base"}), None),
        (None, NOTHING, "large-v3"),
    ],
)
def test_it_finds_the_largest_model_that_may_still_be_fetched(
    room_bytes: int | None, here: frozenset[str], missing: str | None
) -> None:
    assert largest_missing(room_bytes, here) == missing


NEEDED = weights_bytes("large-v3") + SPARE_DISK_BYTES


@pytest.mark.parametrize(
    ("free_bytes", "missing", "status"),
    [
        (NEEDED, "large-v3", Status.PASS),
        (NEEDED - 1, "large-v3", Status.WARN),
        (NEEDED - 1, "turbo", Status.PASS),
        (0, None, Status.PASS),
    ],
)
def test_it_asks_for_room_for_the_weights(free_bytes: int, missing: str | None, status: Status) -> None:
    finding = judge_models_disk(HERE, free_bytes, missing)
    assert finding.status is status
    assert str(HERE) in finding.sentence


def test_it_says_how_much_to_free_for_a_model() -> None:
    finding = judge_models_disk(HERE, NEEDED - 300 * MIB, "large-v3")
    assert "no room to fetch large-v3" in finding.sentence
    assert finding.advice == "Free 300 MiB, or put J5A_MODELS_DIR on another disk."


@pytest.mark.parametrize(
    ("free_bytes", "status", "says"),
    [
        (25 * GIB, Status.PASS, "The largest upload that is allowed (20.0 GiB) fits"),
        (25 * GIB - 1, Status.WARN, "Uploads of up to 20.0 GiB fit"),
        (5 * GIB + 1, Status.WARN, "Uploads of up to 1 bytes fit"),
        (5 * GIB, Status.FAIL, "Every upload is refused: 5.0 GiB are free"),
        (0, Status.FAIL, "Every upload is refused"),
    ],
)
def test_it_keeps_the_reserve_free_of_uploads(free_bytes: int, status: Status, says: str) -> None:
    finding = judge_uploads_disk(HERE, free_bytes, reserve_bytes=5 * GIB, largest_bytes=20 * GIB)
    assert finding.status is status
    assert says in finding.sentence
    assert bool(finding.advice) is (status is not Status.PASS)
