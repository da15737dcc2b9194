from __future__ import annotations

import pytest

from gate.core.incidents.stall import Clocks, StallKind, read_clocks, stall_between

BEFORE = Clocks(monotonic=100.0, boot=500.0, wall=1_700_000_000.0)
LIMIT = 15.0


def after(*, monotonic: float = 1.0, slept: float = 0.0, jumped: float = 0.0) -> Clocks:
    return Clocks(
        monotonic=BEFORE.monotonic + monotonic,
        boot=BEFORE.boot + monotonic + slept,
        wall=BEFORE.wall + monotonic + slept + jumped,
    )


@pytest.mark.parametrize(
    ("clocks", "kind", "seconds"),
    [
        (after(), None, 0),
        (after(monotonic=15.0), None, 0),
        (after(monotonic=15.5), StallKind.STALLED, 15.5),
        (after(slept=15.0), None, 0),
        (after(slept=3600.0), StallKind.SUSPENDED, 3600),
        (after(monotonic=20.0, slept=3600.0), StallKind.SUSPENDED, 3600),
        (after(jumped=3600.0), StallKind.CLOCK_SET, 3600),
        (after(jumped=-3600.0), StallKind.CLOCK_SET, 3600),
        (after(jumped=-15.0), None, 0),
    ],
)
def test_three_clocks_tell_what_happened(clocks: Clocks, kind: StallKind | None, seconds: float) -> None:
    stall = stall_between(BEFORE, clocks, LIMIT)
    assert (None if stall is None else stall.kind) == kind
    assert stall is None or stall.seconds == pytest.approx(seconds)


def test_only_a_machine_that_stood_still_needs_somebody() -> None:
    for clocks, is_over in ((after(monotonic=60), False), (after(slept=60), True), (after(jumped=60), True)):
        stall = stall_between(BEFORE, clocks, LIMIT)
        assert stall is not None and stall.is_over is is_over


def test_the_real_clocks_run_at_one_pace() -> None:
    first, second = read_clocks(), read_clocks()
    assert stall_between(first, second, LIMIT) is None
    assert second.boot >= first.boot >= 0
