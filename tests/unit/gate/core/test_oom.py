"""Whose OOM kill was it? The kernel's log before the group's counter before the host's."""

from __future__ import annotations

import pytest

from gate.core.oom import OomJudgement, judge

YES, NO, LIKELY, UNKNOWN = OomJudgement.YES, OomJudgement.NO, OomJudgement.LIKELY, OomJudgement.UNKNOWN


@pytest.mark.parametrize(
    ("group_kills", "host_kills", "named", "judgement"),
    [
        (1, 1, None, YES),
        (0, 1, None, NO),  # elsewhere on the machine, and not ours
        (0, 0, None, NO),
        (None, 1, None, LIKELY),
        (None, 0, None, NO),
        (None, None, None, UNKNOWN),
        (0, 1, True, YES),  # moved into a group and killed there between two looks
        (1, 1, False, NO),  # another process of our group, and a person's signal at the same time
        (None, 1, True, YES),
        (None, 1, False, NO),
    ],
)
def test_it_blames_only_what_the_counters_and_the_log_say(
    group_kills: int | None, host_kills: int | None, named: bool | None, judgement: OomJudgement
) -> None:
    assert judge(group_kills=group_kills, host_kills=host_kills, named=named) is judgement
