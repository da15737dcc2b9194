"""A holder is killed and its child works on: the lock's files name the child, so that older scripts keep out, too."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gate.core import lockstore
from gate.core.errors import LockHeld
from gate.core.identity import process_start_time, record_for
from gate.core.lockfile import HeavyLock
from gate.core.lockstore import LockStore
from gate.core.readings import LockState
from gate.core.records import LockRecord, encode_record, parse_record
from tests.support.panel import until
from tests.system.gate.test_lock_processes import Holder, kill_quietly
from tests.system.gate.test_old_script import old_script


@pytest.fixture
def lock(tmp_path: Path) -> HeavyLock:
    return HeavyLock(tmp_path / "whisper_large.lock", host="mini")


@pytest.fixture
def start(lock: HeavyLock) -> Iterator[Callable[[], Holder]]:
    holders: list[Holder] = []

    def begin() -> Holder:
        holders.append(Holder(lock.path))
        assert holders[-1].hear() == "held"
        return holders[-1]

    yield begin
    for holder in holders:
        holder.stop()


@pytest.fixture
def orphan(lock: HeavyLock, start: Callable[[], Holder]) -> tuple[int, int]:
    """The PIDs of a killed holder and of its child, which has the lock."""
    holder = start()
    child = holder.start_child()
    until_exec(child)
    holder.kill()
    return holder.pid, child


def until_exec(pid: int) -> None:
    """Between fork and exec a child is still called as its parent."""
    until(lambda: Path(f"/proc/{pid}/comm").read_text() == "sleep\n", seconds=60, what="the child runs")


def line(lock: HeavyLock) -> str:
    return lock.path.read_text()


def record(lock: HeavyLock) -> LockRecord:
    return parse_record(lock.path.with_name("whisper_large.lock.json").read_bytes())


def mine(lock: HeavyLock) -> LockRecord:
    return record_for(os.getpid(), machine=lock.machine)


def say_old_script(lock: HeavyLock) -> str:
    return old_script(lock).communicate("\n", timeout=60)[0]


def test_the_child_is_named_and_the_record_says_who_was_named_before(lock: HeavyLock, orphan: tuple[int, int]) -> None:
    holder, child = orphan
    before = record(lock)
    survivor = lock.survivor_name()
    assert survivor is not None
    assert (survivor.pid, survivor.before_pid) == (child, holder)
    assert line(lock) == f"{child}\n"
    after = record(lock)
    assert (after.pid, after.named_over_pid, after.beats) == (child, holder, False)
    assert (after.since_unix, after.job_ref, after.command) == (before.since_unix, before.job_ref, "sleep 60")
    reading = lock.inspect()
    assert (reading.state, reading.held_by_pid, reading.holder) == (LockState.HELD, child, after)
    assert any(f"inherited it from PID {holder}" in said for said in reading.proof)


def test_an_older_script_keeps_out_after_it_and_would_not_before(lock: HeavyLock, orphan: tuple[int, int]) -> None:
    assert lock.survivor_name() is not None
    assert say_old_script(lock) == "refused\n"
    assert lock.inspect().held_by_pid == orphan[1]


def test_without_it_an_older_script_starts(lock: HeavyLock, orphan: tuple[int, int]) -> None:
    """The gap itself, so that the tests beside this one are known to show something."""
    assert say_old_script(lock) == "held\nreleased\n"


def test_a_refused_acquire_names_the_child(lock: HeavyLock, orphan: tuple[int, int]) -> None:
    with pytest.raises(LockHeld, match=f"held by PID {orphan[1]}") as refused:
        lock.acquire(mine(lock))
    assert refused.value.survivor is not None
    assert refused.value.survivor.pid == orphan[1]
    assert say_old_script(lock) == "refused\n"
    with pytest.raises(LockHeld) as again:
        lock.acquire(mine(lock))
    assert again.value.survivor is None


def test_a_refused_adopt_names_the_child(lock: HeavyLock, orphan: tuple[int, int]) -> None:
    descriptor = os.open(lock.path, os.O_RDWR)
    try:
        with pytest.raises(LockHeld):
            lock.adopt(descriptor, mine(lock))
    finally:
        os.close(descriptor)
    assert line(lock) == f"{orphan[1]}\n"


def test_a_check_leaves_the_files_as_they_are(lock: HeavyLock, orphan: tuple[int, int]) -> None:
    before = (line(lock), lock.path.stat().st_mtime_ns, record(lock))
    assert lock.inspect().held_by_pid == orphan[1]
    assert (line(lock), lock.path.stat().st_mtime_ns, record(lock)) == before


def test_when_the_child_has_ended_the_next_one_takes_it(lock: HeavyLock, orphan: tuple[int, int]) -> None:
    assert lock.survivor_name() is not None
    kill_quietly(orphan[1])
    assert lock.survivor_name() is None
    with lock.acquire(mine(lock)) as held:
        assert held.took_over is not None
        assert held.record.named_over_pid is None


def test_a_child_that_was_named_and_let_go_without_ending_leaves_no_lock_to_clear(lock: HeavyLock) -> None:
    """Named in the moment between fork and exec, it has the lock; a moment later it has not, and lives on."""
    store, ended = LockStore(lock.path), subprocess.Popen(["true"])
    ended.wait()
    other = subprocess.Popen(["sleep", "60"])
    try:
        with store.directory(create=True) as directory:
            descriptor = store.open_or_create(directory)
            named = record_for(other.pid, machine=lock.machine)
            store.write(directory, descriptor, LockRecord(**(vars(named) | {"named_over_pid": ended.pid})))
            os.close(descriptor)
        assert lock.inspect().state is LockState.STALE
        lock.acquire(mine(lock)).release()
    finally:
        other.kill()
        other.wait()


def test_a_number_that_was_given_away_is_named_over(lock: HeavyLock, orphan: tuple[int, int]) -> None:
    """The holder's PID lives again as another process: only the start time in the record tells."""
    other = subprocess.Popen(["sleep", "60"])
    try:
        known = LockRecord(**(vars(record(lock)) | {"pid": other.pid, "start_ticks": 1}))
        lock.path.write_text(f"{other.pid}\n")
        bound = known.bound_to(lock.path.stat().st_mtime_ns)
        lock.path.with_name("whisper_large.lock.json").write_bytes(encode_record(bound))
        assert lock.inspect().held_by_pid == orphan[1]
        survivor = lock.survivor_name()
        assert survivor is not None
        assert (survivor.before_pid, line(lock)) == (other.pid, f"{orphan[1]}\n")
    finally:
        other.kill()
        other.wait()


def test_a_live_line_is_never_named_over(lock: HeavyLock, start: Callable[[], Holder]) -> None:
    holder = start()
    until_exec(holder.start_child())
    assert lock.survivor_name() is None
    assert line(lock) == f"{holder.pid}\n"


def test_an_older_scripts_live_line_on_our_held_file_is_never_named_over(
    lock: HeavyLock, orphan: tuple[int, int]
) -> None:
    lock.path.write_text(f"{os.getpid()}\n")
    assert lock.survivor_name() is None
    assert line(lock) == f"{os.getpid()}\n"


@pytest.mark.parametrize("content", ["", "garbage\n"])
def test_what_names_nobody_is_left_as_it_is(lock: HeavyLock, orphan: tuple[int, int], content: str) -> None:
    lock.path.write_text(content)
    assert lock.survivor_name() is None
    assert line(lock) == content


def test_a_dead_line_without_a_kernel_lock_is_left_for_the_next_taker(
    lock: HeavyLock, start: Callable[[], Holder]
) -> None:
    holder = start()
    holder.kill()
    assert lock.survivor_name() is None
    assert line(lock) == f"{holder.pid}\n"
    assert lock.inspect().state is LockState.STALE


def test_nothing_is_made_where_there_is_no_lock(lock: HeavyLock) -> None:
    assert lock.survivor_name() is None
    assert list(lock.path.parent.iterdir()) == []


def test_it_waits_for_nobody_who_is_writing(lock: HeavyLock, orphan: tuple[int, int]) -> None:
    """A taker wins the kernel lock and writes its line under the writers' lock: nobody names over it meanwhile."""
    directory = os.open(lock.path.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        assert lock.survivor_name() is None
        assert line(lock) == f"{orphan[0]}\n"
    finally:
        os.close(directory)
    assert lock.survivor_name() is not None


def test_a_holder_whose_dead_child_was_named_over_still_holds_and_lets_go(lock: HeavyLock) -> None:
    """The worker, whose engine was killed: the line names the engine until somebody names the worker again."""
    held = lock.acquire(mine(lock))
    engine = subprocess.Popen(["sleep", "60"], pass_fds=(held.fileno(),))
    held.update_pid(engine.pid)
    engine.kill()
    engine.wait()
    survivor = lock.survivor_name()
    assert survivor is not None
    assert survivor.pid == os.getpid()
    assert held.problem() is None
    held.heartbeat()
    held.update_pid(os.getpid())
    assert (record(lock).named_over_pid, record(lock).beats) == (None, True)
    assert held.release()
    assert (line(lock), lock.inspect().state) == ("", LockState.FREE)


def test_a_holder_that_was_named_by_somebody_who_was_killed_before_the_record_still_lets_go(lock: HeavyLock) -> None:
    held = lock.acquire(mine(lock))
    engine = subprocess.Popen(["true"])
    held.update_pid(engine.pid)
    engine.wait()
    lock.path.write_text(f"{os.getpid()}\n")  # the line of the new name, and still the record of the old one
    assert held.problem() is None
    assert held.release()
    assert (line(lock), lock.inspect().state) == ("", LockState.FREE)


def test_a_holder_that_looked_while_its_new_name_was_half_written_still_lets_go(lock: HeavyLock) -> None:
    """A look takes no turn with the writers, so it may see a line that gets another date when its padding is cut off.

    A release that is written for the line as it looked then belongs to no line, and our PID would block while we live.
    """
    held = lock.acquire(mine(lock))
    engine = subprocess.Popen(["true"])
    held.update_pid(engine.pid)
    engine.wait()
    lock.path.write_text(f"{os.getpid()}\n\n")
    assert held.problem() is None
    seen_ns = lock.path.stat().st_mtime_ns
    until(lambda: _written_anew(lock) != seen_ns, seconds=60, what="the file's clock ticks")
    assert held.release()
    assert (line(lock), lock.inspect().state) == ("", LockState.FREE)


def _written_anew(lock: HeavyLock) -> int:
    lock.path.write_text(f"{os.getpid()}\n")
    return lock.path.stat().st_mtime_ns


def test_a_line_of_a_process_without_the_lock_is_somebody_elses(lock: HeavyLock) -> None:
    """As an older script writes it: its process has no locked descriptor, and no record says that it was named."""
    other = subprocess.Popen(["sleep", "60"])
    try:
        held = lock.acquire(mine(lock))
        lock.path.write_text(f"{other.pid}\n")
        assert held.problem() == f"another process wrote its PID {other.pid} over ours"
        held.release()
        assert line(lock) == f"{other.pid}\n"
    finally:
        other.kill()
        other.wait()


def test_it_names_the_process_that_has_run_longest(lock: HeavyLock, start: Callable[[], Holder]) -> None:
    """A surviving script's newest command has the descriptor too, and is soon gone."""
    holder = start()
    first = holder.start_child()
    until_exec(first)
    until(lambda: process_start_time(first) != _started_now(), seconds=60, what="the clock ticks")
    second = holder.start_child()
    until_exec(second)
    holder.kill()
    survivor = lock.survivor_name()
    assert survivor is not None
    assert survivor.pid == first


def _started_now() -> str:
    process = subprocess.Popen(["sleep", "60"])
    try:
        return process_start_time(process.pid)
    finally:
        process.kill()
        process.wait()


def test_a_stopped_writer_does_not_block_the_lock_for_good(lock: HeavyLock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is stopped (SIGSTOP) while it writes: who wins the kernel lock goes ahead when the wait is over."""
    monkeypatch.setattr(lockstore, "WRITER_WAIT_SECONDS", 0.2)  # 10 s are long for a test
    directory = os.open(lock.path.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        held = lock.acquire(mine(lock))
        assert line(lock) == f"{os.getpid()}\n"
        assert held.release()
        assert lock.inspect().state is LockState.FREE
    finally:
        os.close(directory)
