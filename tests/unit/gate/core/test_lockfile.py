from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from gate.core.errors import LockHeld, LockLost, LockNotStale
from gate.core.heldlock import HeldLock
from gate.core.identity import Machine, record_for
from gate.core.lockfile import HeavyLock
from gate.core.readings import LockState
from gate.core.records import LockRecord, parse_record


@pytest.fixture
def lock(tmp_path: Path) -> HeavyLock:
    return HeavyLock(tmp_path / "locks" / "whisper_large.lock", host="mini")


def mine(lock: HeavyLock, job_ref: str = "7") -> LockRecord:
    return record_for(os.getpid(), machine=lock.machine, model="large-v3", job_ref=job_ref)


def take(lock: HeavyLock) -> HeldLock:
    return lock.acquire(mine(lock))


def write_line(lock: HeavyLock, content: bytes, age_seconds: float = 60.0) -> None:
    lock.path.parent.mkdir(exist_ok=True, mode=0o700)
    lock.path.write_bytes(content)
    then = time.time() - age_seconds
    os.utime(lock.path, (then, then))


def gone_pid() -> int:
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


# ── looking ──────────────────────────────────────────────────────────────────────────────────────
def test_inspect_makes_nothing(lock: HeavyLock) -> None:
    assert lock.inspect().state is LockState.FREE
    assert not lock.path.parent.exists()


def test_inspect_leaves_a_stale_lock_as_it_is(lock: HeavyLock) -> None:
    line = f"{gone_pid()}\n".encode()
    write_line(lock, line)
    before = lock.path.stat()
    assert lock.inspect().state is LockState.STALE
    after = lock.path.stat()
    assert lock.path.read_bytes() == line
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_inspect_says_who_holds_it(lock: HeavyLock) -> None:
    with take(lock):
        reading = lock.inspect()
    assert (reading.state, reading.held_by_pid) == (LockState.HELD, os.getpid())
    assert reading.holder is not None
    assert (reading.holder.job_ref, reading.holder.model) == ("7", "large-v3")
    assert reading.sentence == f"held by PID {os.getpid()} for 7"


# ── taking and letting go ────────────────────────────────────────────────────────────────────────
def test_the_file_holds_one_decimal_pid_and_the_record_lies_beside_it(lock: HeavyLock) -> None:
    with take(lock) as held:
        assert lock.path.read_bytes() == f"{os.getpid()}\n".encode()
        assert parse_record(Path(f"{lock.path}.json").read_bytes()) == held.record


def test_the_directory_is_made_for_us_alone(lock: HeavyLock) -> None:
    with take(lock):
        assert lock.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_second_one_is_refused_and_told_who_has_it(lock: HeavyLock) -> None:
    with take(lock), pytest.raises(LockHeld, match=f"held by PID {os.getpid()}") as refused:
        take(lock)
    assert refused.value.retry_helps
    assert refused.value.reading.held_by_pid == os.getpid()


def test_after_release_it_is_free_at_once_and_names_nobody(lock: HeavyLock) -> None:
    assert take(lock).release()
    assert lock.path.read_bytes() == b""
    assert not Path(f"{lock.path}.json").exists()
    assert lock.inspect().state is LockState.FREE
    assert take(lock).release()


def test_release_twice_is_no_harm(lock: HeavyLock) -> None:
    held = take(lock)
    assert held.release()
    with take(lock) as other:
        assert held.release()
        other.require_ours()


def test_release_leaves_a_line_that_somebody_else_wrote(lock: HeavyLock) -> None:
    held = take(lock)
    lock.path.write_text("1\n")
    held.release()
    assert lock.path.read_text() == "1\n"


def test_update_names_another_process_and_old_readers_see_a_pid_at_every_moment(lock: HeavyLock) -> None:
    with take(lock) as held:
        held.update_pid(1)
        assert lock.path.read_bytes() == b"1\n"
        assert held.record.pid == 1
        assert lock.inspect().held_by_pid == 1
        held.require_ours()


def test_acquire_waits_as_long_as_it_is_told(lock: HeavyLock) -> None:
    with take(lock):
        started = time.monotonic()
        with pytest.raises(LockHeld):
            lock.acquire(mine(lock), timeout_seconds=0.3)
    assert 0.3 <= time.monotonic() - started < 5


# ── what others leave behind ─────────────────────────────────────────────────────────────────────
def test_a_live_pid_without_kernel_lock_is_held_by_an_older_script(lock: HeavyLock) -> None:
    write_line(lock, b"1\n")
    assert lock.inspect().state is LockState.LEGACY
    with pytest.raises(LockHeld) as refused:
        take(lock)
    assert refused.value.reading.held_by_pid == 1
    assert lock.path.read_bytes() == b"1\n"


def test_a_stale_lock_is_taken_over_with_its_proof(lock: HeavyLock) -> None:
    pid = gone_pid()
    write_line(lock, f"{pid}\n".encode())
    with take(lock) as held:
        assert held.took_over is not None
        assert held.took_over.state is LockState.STALE
        assert f"PID {pid}: no such process" in held.took_over.proof


def test_a_recycled_pid_is_stale(lock: HeavyLock) -> None:
    held = take(lock)
    held.update(LockRecord(**(vars(held.record) | {"start_ticks": 1})))
    os.close(held.fileno())  # as if killed: the descriptor closes, the files stay
    reading = lock.inspect()
    assert reading.state is LockState.REUSED
    assert any("ticks after boot" in line for line in reading.proof)
    with take(lock) as taken:
        assert taken.took_over is not None


def test_a_lock_of_another_host_is_held(lock: HeavyLock) -> None:
    other = Machine(host="other", boot_id="another-boot")
    held = lock.acquire(record_for(gone_pid(), machine=other))
    os.close(held.fileno())
    assert lock.inspect().state is LockState.HELD
    with pytest.raises(LockHeld):
        take(lock)
    with pytest.raises(LockHeld):
        lock.clear_stale("me", "test")


def test_a_lock_of_this_machine_under_its_former_name_is_taken_over(lock: HeavyLock) -> None:
    former = HeavyLock(lock.path, host="former")
    held = former.acquire(record_for(gone_pid(), machine=former.machine))
    os.close(held.fileno())
    with take(lock) as taken:
        assert taken.took_over is not None
        assert any("so host former is this machine" in line for line in taken.took_over.proof)


@pytest.mark.parametrize("content", [b"garbage\n", b"0\n", b"-1\n", b"2147483648\n", b"\x00\xff", b"x" * 200_000])
def test_garbage_is_held_until_a_person_clears_it(lock: HeavyLock, content: bytes) -> None:
    write_line(lock, content)
    assert lock.inspect().state is LockState.MALFORMED
    with pytest.raises(LockHeld):
        take(lock)
    assert lock.clear_stale("me", "left by a test").before.state is LockState.MALFORMED
    take(lock).release()


def test_an_empty_file_is_held_while_somebody_may_be_writing(lock: HeavyLock) -> None:
    write_line(lock, b"", age_seconds=0.0)
    assert lock.inspect().state is LockState.MALFORMED
    write_line(lock, b"", age_seconds=3.0)
    assert lock.inspect().state is LockState.FREE
    take(lock).release()


def test_a_malformed_record_does_not_make_a_live_pid_stale(lock: HeavyLock) -> None:
    write_line(lock, b"1\n")
    Path(f"{lock.path}.json").write_bytes(b"\xff{")
    reading = lock.inspect()
    assert reading.state is LockState.LEGACY
    assert any("malformed" in line for line in reading.proof)


# ── signs of life ────────────────────────────────────────────────────────────────────────────────
def test_a_silent_holder_is_reported_as_hung_and_still_holds(lock: HeavyLock) -> None:
    with take(lock) as held:
        then = time.time() - 800
        os.utime(f"{lock.path}.json", (then, then))
        assert lock.inspect().state is LockState.HELD
        then = time.time() - 901
        os.utime(f"{lock.path}.json", (then, then))
        assert lock.inspect().state is LockState.HUNG
        with pytest.raises(LockHeld):
            lock.clear_stale("me", "looks hung")
        held.heartbeat()
        assert lock.inspect().state is LockState.HELD


def test_a_hold_whose_file_was_removed_is_lost(lock: HeavyLock) -> None:
    with take(lock) as held:
        lock.path.unlink()
        with pytest.raises(LockLost, match="removed or replaced"):
            held.heartbeat()


def test_a_hold_whose_line_was_overwritten_is_lost(lock: HeavyLock) -> None:
    with take(lock) as held:
        lock.path.write_text("1\n")
        with pytest.raises(LockLost, match="wrote its PID 1"):
            held.require_ours()


# ── clearing ─────────────────────────────────────────────────────────────────────────────────────
def test_clear_stale_proves_it_and_keeps_who_why_and_the_evidence(lock: HeavyLock) -> None:
    pid = gone_pid()
    write_line(lock, f"{pid}\n".encode())
    cleared = lock.clear_stale("anna", "power cut")
    assert (cleared.who, cleared.why, cleared.before.state) == ("anna", "power cut", LockState.STALE)
    assert lock.inspect().state is LockState.FREE


def test_clear_stale_refuses_a_live_holder(lock: HeavyLock) -> None:
    with take(lock) as held:
        with pytest.raises(LockHeld):
            lock.clear_stale("anna", "impatient")
        held.require_ours()


def test_clear_stale_refuses_a_live_older_script(lock: HeavyLock) -> None:
    write_line(lock, b"1\n")
    with pytest.raises(LockHeld):
        lock.clear_stale("anna", "impatient")
    assert lock.path.read_bytes() == b"1\n"


def test_clear_stale_has_nothing_to_do_on_a_free_lock(lock: HeavyLock) -> None:
    with pytest.raises(LockNotStale):
        lock.clear_stale("anna", "curious")
    take(lock).release()
    with pytest.raises(LockNotStale):
        lock.clear_stale("anna", "curious")


@pytest.mark.parametrize("line", [" {pid}\n", "PID={pid}\n", "00{pid}\n", "{pid} # mine\n", "1\n{pid}\n"])
def test_garbage_that_names_a_live_process_is_not_cleared(lock: HeavyLock, line: str) -> None:
    text = line.format(pid=os.getpid())
    lock.path.parent.mkdir(mode=0o700, exist_ok=True)
    lock.path.write_text(text)
    with pytest.raises(LockHeld, match=f"PID {os.getpid()} in it is alive"):
        lock.clear_stale("me", "test")
    assert lock.path.read_text() == text


def test_a_lock_file_removed_under_its_holder_still_excludes(lock: HeavyLock) -> None:
    held = take(lock)
    lock.path.unlink()
    with pytest.raises(LockHeld, match="on a lock file that was removed"):
        take(lock)
    held.release()
    assert take(lock).release()
