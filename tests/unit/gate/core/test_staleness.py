from __future__ import annotations

import pytest

from gate.core.identity import Machine, ProcessFacts
from gate.core.readings import LockState
from gate.core.records import LockRecord
from gate.core.staleness import Contents, Judged, judge_unlocked, names_live

HERE = Machine(host="mini", boot_id="boot-1")
ALIVE = ProcessFacts(pid=42, alive=True, start_ticks=99)
GONE = ProcessFacts(pid=42, alive=False)
OURS = LockRecord(pid=42, host="mini", start_ticks=99, boot_id="boot-1", line_mtime_ns=7)


def judge(
    line: bytes,
    process: ProcessFacts | None,
    record: LockRecord | None = None,
    *,
    mtime_ns: int = 7,
    age_seconds: float = 60.0,
    machine: Machine = HERE,
) -> Judged:
    contents = Contents(line=line, line_mtime_ns=mtime_ns, record=record)
    return judge_unlocked(contents, process, machine, age_seconds=age_seconds)


def changed(**values: object) -> LockRecord:
    return LockRecord(**(vars(OURS) | values))


@pytest.mark.parametrize(
    ("process", "record", "state"),
    [
        (ALIVE, None, LockState.LEGACY),
        (GONE, None, LockState.STALE),
        (ALIVE, OURS, LockState.LEGACY),
        (GONE, OURS, LockState.STALE),
        (ALIVE, changed(start_ticks=98), LockState.REUSED),
        (ALIVE, changed(start_ticks=None), LockState.LEGACY),
        (ProcessFacts(pid=42, alive=True), OURS, LockState.LEGACY),
        (ALIVE, changed(boot_id="boot-0"), LockState.STALE),
        (ALIVE, changed(boot_id=None), LockState.LEGACY),
        # The same boot id is the same machine, whatever it was called: then the PID proves what it always proves.
        (GONE, changed(host="other"), LockState.STALE),
        (ALIVE, changed(host="other"), LockState.LEGACY),
        (ALIVE, changed(host="other", start_ticks=98), LockState.REUSED),
        (GONE, changed(host="other", boot_id="boot-0"), LockState.HELD),
        (GONE, changed(host="other", boot_id=None), LockState.HELD),
        (GONE, changed(host="other", boot_id=""), LockState.HELD),
        (ALIVE, changed(host="other", boot_id="boot-0"), LockState.HELD),
        # A record that was not written with this very line says nothing about it.
        (ALIVE, changed(line_mtime_ns=6, boot_id="boot-0"), LockState.LEGACY),
        (ALIVE, changed(pid=41, start_ticks=98), LockState.LEGACY),
        (ALIVE, changed(released=True), LockState.FREE),
        (ALIVE, changed(released=True, line_mtime_ns=6), LockState.LEGACY),
        (GONE, changed(line_mtime_ns=6, host="other"), LockState.STALE),
        # Named because it had the kernel lock, which is free: it let go. An older script's line never says so.
        (ALIVE, changed(named_over_pid=7), LockState.STALE),
        (GONE, changed(named_over_pid=7), LockState.STALE),
        (ALIVE, changed(named_over_pid=7, host="other", boot_id="boot-0"), LockState.HELD),
        (ALIVE, changed(named_over_pid=7, line_mtime_ns=6), LockState.LEGACY),
    ],
)
def test_stale_is_said_on_proof_only(process: ProcessFacts, record: LockRecord | None, state: LockState) -> None:
    judged = judge(b"42\n", process, record)
    assert judged.state is state
    assert len(judged.proof) >= 2


def test_a_record_under_the_name_of_today_is_of_this_machine_too() -> None:
    """The panel's rows go on under the name that the machine had; other programs know only what it is called now."""
    renamed = Machine(host="mini", boot_id="boot-1", own_name="studio")
    assert judge(b"42\n", GONE, changed(host="studio", boot_id="boot-0"), machine=renamed).state is LockState.STALE
    assert judge(b"42\n", GONE, changed(host="", boot_id="boot-0")).state is LockState.HELD


def test_nothing_follows_from_a_boot_id_that_is_not_known_here() -> None:
    machine = Machine(host="mini", boot_id=None)
    assert judge(b"42\n", ALIVE, changed(boot_id="boot-0"), machine=machine).state is LockState.LEGACY


def test_nothing_follows_from_a_host_name_where_there_is_no_boot_id() -> None:
    machine = Machine(host="mini", boot_id=None)
    assert judge(b"42\n", GONE, changed(host="other", boot_id=None), machine=machine).state is LockState.HELD


@pytest.mark.parametrize(("dated_unix", "is_said"), [(939.0, True), (941.0, False), (1_000.0, False), (9_999.0, False)])
def test_a_bare_line_from_before_the_boot_is_told_and_stays_held_while_its_pid_lives(
    dated_unix: float, is_said: bool
) -> None:
    """The clock may have been set between the two, so the date is a hint for a person and no proof."""
    machine = Machine(host="mini", boot_id="boot-1", booted_unix=1_000.0)
    judged = judge(b"42\n", ALIVE, mtime_ns=int(dated_unix * 1e9), machine=machine)
    assert judged.state is LockState.LEGACY
    assert any("before this machine was started" in line for line in judged.proof) is is_said
    assert judge(b"42\n", GONE, mtime_ns=int(dated_unix * 1e9), machine=machine).state is LockState.STALE


@pytest.mark.parametrize(
    ("process", "record", "is_live"),
    [
        (None, None, False),
        (GONE, None, False),
        (GONE, OURS, False),
        (ALIVE, None, True),
        (ALIVE, OURS, True),
        (ALIVE, changed(start_ticks=98), False),
        (ALIVE, changed(start_ticks=98, line_mtime_ns=6), True),
        (ALIVE, changed(start_ticks=None), True),
        (ProcessFacts(pid=42, alive=True), OURS, True),
    ],
)
def test_a_line_names_nobody_alive_on_proof_only(
    process: ProcessFacts | None, record: LockRecord | None, is_live: bool
) -> None:
    assert names_live(Contents(line=b"42\n", line_mtime_ns=7, record=record), process) is is_live


@pytest.mark.parametrize("line", [b"garbage", b"0\n", b"-1\n", b"\x00\x01", b"12\n13\n"])
def test_garbage_is_malformed(line: bytes) -> None:
    assert judge(line, None).state is LockState.MALFORMED


@pytest.mark.parametrize(
    ("mtime_ns", "age_seconds", "state"),
    [(0, 1e9, LockState.FREE), (0, 0.0, LockState.FREE), (5, 1.9, LockState.MALFORMED), (5, 2.0, LockState.FREE)],
)
def test_an_empty_file_is_free_when_we_left_it_or_nobody_is_writing(
    mtime_ns: int, age_seconds: float, state: LockState
) -> None:
    assert judge(b"", None, mtime_ns=mtime_ns, age_seconds=age_seconds).state is state


def test_the_proof_says_why_there_is_no_record() -> None:
    bare = Contents(line=b"42\n", line_mtime_ns=7, record=None)
    broken = Contents(line=b"42\n", line_mtime_ns=7, record=None, record_problem="malformed (not JSON)")
    proofs = [judge_unlocked(contents, GONE, HERE, age_seconds=60.0).proof[1] for contents in (bare, broken)]
    assert proofs == ["record: none that belongs to this PID line", "record: malformed (not JSON)"]
