"""Seconds for which the engine was held, by kind, with the hold that lasts."""

from __future__ import annotations

from transcribe.held import HeldFor, HeldTimes


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_adds_up_by_kind_and_counts_the_one_that_lasts() -> None:
    clock = Clock()
    held = HeldTimes(clock)
    assert held.total() == 0.0
    held.begin(HeldFor.HEAT_REST)
    clock.now += 2
    held.begin(HeldFor.HEAT_PAUSE)  # ends the rest
    clock.now += 5
    assert held.seconds() == {HeldFor.HEAT_PAUSE: 5.0, HeldFor.HEAT_REST: 2.0}
    held.end()
    clock.now += 100
    held.end()  # again: nothing
    assert held.total() == 7.0
