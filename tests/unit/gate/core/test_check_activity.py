from __future__ import annotations

import pytest

from gate.core.checks import check_activity
from gate.core.policy import GatePolicy
from gate.core.readings import ActivityReading, Program
from gate.core.units import GIB, MIB
from gate.core.verdict import Outcome

POLICY = GatePolicy()


@pytest.mark.parametrize(
    ("total_bytes", "outcome", "asks_to_wait"),
    [
        (0, Outcome.PASS, False),
        (500 * MIB, Outcome.PASS, False),
        (500 * MIB + 1, Outcome.WARN, False),
        (2 * GIB, Outcome.WARN, False),
        (2 * GIB + 1, Outcome.WARN, True),
    ],
)
def test_it_warns_over_its_limits_and_never_blocks(total_bytes: int, outcome: Outcome, asks_to_wait: bool) -> None:
    result = check_activity(ActivityReading(total_bytes=total_bytes), POLICY)
    assert result.outcome is outcome
    assert ("wait" in result.unblock) is asks_to_wait


def test_an_unreadable_process_table_only_warns() -> None:
    result = check_activity(ActivityReading(total_bytes=None, problem="gone"), POLICY)
    assert result.outcome is Outcome.WARN


def test_it_names_who_is_watched_and_how_much_they_take() -> None:
    watched = (Program(name="claude", pid=7, rss_bytes=600 * MIB),)
    result = check_activity(ActivityReading(watched=watched, total_bytes=600 * MIB), POLICY)
    assert result.summary == "watched programs (claude): 600 MiB, limit 500 MiB"
    assert result.unblock == "Expect slower work while it is active."
    assert result.evidence == ("claude (PID 7): 600 MiB",)


def test_nobody_watched_is_said() -> None:
    summary = check_activity(ActivityReading(), GatePolicy(watched_programs=())).summary
    assert summary.startswith("watched programs (none): 0 bytes")
