from __future__ import annotations

from dataclasses import replace

from gate.core.checks import check_processes
from gate.core.readings import ForeignProcess, ProcessReading
from gate.core.verdict import Outcome

ONE = ForeignProcess(pid=12, what="faster-whisper", command="faster-whisper a.mp3", age_seconds=300)


def test_no_foreign_process_passes() -> None:
    assert check_processes(ProcessReading()).outcome is Outcome.PASS


def test_one_foreign_process_blocks_and_is_named() -> None:
    result = check_processes(ProcessReading(foreign=(ONE,)))
    assert result.outcome is Outcome.BLOCK
    assert "faster-whisper (PID 12, running 5 min)" in result.summary


def test_its_user_is_named_where_that_could_be_read() -> None:
    result = check_processes(ProcessReading(foreign=(replace(ONE, user="eve"),)))
    assert "faster-whisper (PID 12, user eve, running 5 min)" in result.summary
    assert result.evidence[0].startswith("PID 12 faster-whisper, user eve, running 5 min: ")


def test_an_unreadable_process_table_is_unknown() -> None:
    result = check_processes(ProcessReading(problem="PermissionError"))
    assert result.outcome is Outcome.UNKNOWN


def test_what_was_seen_blocks_although_the_rest_was_not_readable() -> None:
    assert check_processes(ProcessReading(foreign=(ONE,), problem="PermissionError")).outcome is Outcome.BLOCK


def test_several_are_all_named_with_what_helps() -> None:
    other = ForeignProcess(pid=13, what="whisper", command="whisper b.mp3", age_seconds=None)
    result = check_processes(ProcessReading(foreign=(ONE, other)))
    assert result.summary.startswith("2 other Whisper processes run: ")
    assert "whisper (PID 13, age unknown)" in result.summary
    assert result.unblock == "Starts when they have ended; or stop them yourself."
    assert (result.reading, result.limit, result.unit) == (2, 0, "processes")
