"""The heavy lock: a kernel lock on the file, held for as long as any process has its descriptor.

The kernel lock is the lock. The PID line is for people and for the older shell scripts, which read it
with `ps -p "$(cat FILE)"` and delete the file when that fails; hence the looks at the path after winning.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gate.core.errors import LockError, LockHeld, LockLost, LockNotStale
from gate.core.heldlock import HeldLock
from gate.core.identity import (
    Machine,
    descriptor_holders,
    descriptor_is_locked,
    read_machine,
    read_process,
    removed_lock_holders,
)
from gate.core.lockroom import folder_problem
from gate.core.lockstore import LockStore, try_flock
from gate.core.readings import LockReading, LockState
from gate.core.records import LockRecord, parse_pid_line
from gate.core.staleness import EMPTY_GRACE_SECONDS, Contents, Judged, judge_unlocked, names_live
from gate.core.survivors import Survivor, survivor_name
from gate.core.units import seconds_text

__all__ = ["ClearedLock", "HeavyLock", "HeldLock"]

_POLL_SECONDS = 0.05
# A look at the lock holds it shared for microseconds; a contender that meets one tries again this long.
_PROBE_GRACE_SECONDS = 0.1
_HUNG_AFTER_SECONDS = 900.0


@dataclass(frozen=True, kw_only=True)
class ClearedLock:
    """What was cleared, and on whose word. `before` holds the proof."""

    before: LockReading
    who: str
    why: str
    at_unix: float


class HeavyLock:
    """One lock file. Looking (`inspect`) changes nothing; only who takes, clears or names a survivor writes."""

    def __init__(self, path: Path, *, host: str | None = None, hung_after_seconds: float = _HUNG_AFTER_SECONDS) -> None:
        self.path = path
        self.machine: Machine = read_machine(host)
        self._hung_after_seconds = hung_after_seconds
        self._store = LockStore(path)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────
    def inspect(self) -> LockReading:
        """The state now, with its proof. Never raises: what cannot be read is malformed, and blocks."""
        try:
            with self._store.directory() as directory:
                return self._inspect_in(directory)
        except FileNotFoundError:
            return self._without_directory()
        except (LockError, OSError) as problem:
            reason = problem.reason if isinstance(problem, LockError) else str(problem)
            judged = Judged(LockState.MALFORMED, f"the lock cannot be trusted: {reason}", (reason,))
            return self._reading(judged, problem=reason)

    def _without_directory(self) -> LockReading:
        folder = next(parent for parent in self.path.parents if parent.exists())
        problem = folder_problem(folder, None) if folder.is_dir() else f"{folder} is not a folder"
        unwritable = None if problem is None else f"{self.path.parent} does not exist and cannot be made: {problem}"
        return replace(
            self._reading(Judged(LockState.FREE, "free", ("no lock directory",))),
            unwritable=unwritable,
        )

    def _inspect_in(self, directory: int) -> LockReading:
        descriptor = self._store.open_existing(directory)
        if descriptor is None:
            return self._with_room(self._reading(Judged(LockState.FREE, "free", ("no lock file",))))
        try:
            if try_flock(descriptor, fcntl.LOCK_SH):
                return self._with_room(self._read_unlocked(directory, descriptor))
            return self._read_locked(directory, descriptor, search=True)
        finally:
            os.close(descriptor)

    def _with_room(self, reading: LockReading) -> LockReading:
        """What nobody holds must also be possible to take."""
        if reading.is_live:
            return reading
        return replace(reading, unwritable=folder_problem(self.path.parent, self.path.name))

    def _read_unlocked(self, directory: int, descriptor: int) -> LockReading:
        contents = self._store.read(directory, descriptor)
        judged = self._judge(contents)
        held_by = contents.pid if judged.state in (LockState.LEGACY, LockState.HELD) else None
        return self._reading(judged, holder=contents.matching_record, held_by_pid=held_by)

    def _judge(self, contents: Contents) -> Judged:
        process = read_process(contents.pid) if contents.pid is not None else None
        age_seconds = max(0.0, time.time() - contents.line_mtime_ns / 1e9)
        return judge_unlocked(contents, process, self.machine, age_seconds=age_seconds)

    def _read_locked(self, directory: int, descriptor: int, *, search: bool) -> LockReading:
        """Somebody has the kernel lock. `search` looks through /proc when the PID line names nobody alive."""
        contents = self._store.read(directory, descriptor)
        pid = contents.pid
        named = pid if pid is not None and names_live(contents, read_process(pid)) else None
        others = descriptor_holders(os.fstat(descriptor)) if named is None and search else ()
        held_by = named if named is not None else next(iter(others), None)
        record = contents.matching_record
        beat_unix = self._store.heartbeat_unix(directory) if record is not None and record.beats else None
        age_seconds = None if beat_unix is None else max(0.0, time.time() - beat_unix)
        return self._reading(
            self._judge_locked(contents, held_by, age_seconds),
            holder=record,
            held_by_pid=held_by,
            heartbeat_age_seconds=age_seconds,
        )

    def _judge_locked(self, contents: Contents, held_by: int | None, age_seconds: float | None) -> Judged:
        record = contents.matching_record
        proof = ["kernel lock: held"]
        proof.append("PID line: names nobody alive" if held_by is None else f"PID {held_by}: has it")
        if record is not None:
            proof += [f"command: {record.command}", f"user: {record.user}, model: {record.model or '-'}"]
        if record is not None and record.named_over_pid is not None:
            proof.append(f"PID {record.pid}: inherited it from PID {record.named_over_pid}, which was named before")
        by = f"held by PID {held_by}" if held_by is not None else "held by a process that gives no PID"
        by += f" for {record.job_ref}" if record is not None and record.job_ref else ""
        if age_seconds is None:
            return Judged(LockState.HELD, by, tuple(proof))
        proof.append(f"last sign of life: {seconds_text(age_seconds)} ago")
        if age_seconds <= self._hung_after_seconds:
            return Judged(LockState.HELD, by, tuple(proof))
        sentence = f"{by}, which gave no sign of life for {seconds_text(age_seconds)}"
        return Judged(LockState.HUNG, sentence, tuple(proof))

    def _reading(
        self,
        judged: Judged,
        *,
        holder: LockRecord | None = None,
        held_by_pid: int | None = None,
        heartbeat_age_seconds: float | None = None,
        problem: str | None = None,
    ) -> LockReading:
        return LockReading(
            path=self.path,
            state=judged.state,
            sentence=judged.sentence,
            holder=holder,
            held_by_pid=held_by_pid,
            heartbeat_age_seconds=heartbeat_age_seconds,
            proof=judged.proof,
            problem=problem,
        )

    # ── taking ───────────────────────────────────────────────────────────────────────────────────
    def prepare(self) -> None:
        """Make the directory, so that a place which cannot be used is known at once. Raises as `acquire` does."""
        with self._store.directory(create=True) as directory:
            self._store.remove_leftovers(directory)

    def publish(self) -> None:
        """Make directory and file, for a shell that cannot open safely what is not there. Raises as `acquire` does."""
        with self._store.directory(create=True) as directory:
            os.close(self._store.open_or_create(directory))

    def acquire(self, record: LockRecord, *, timeout_seconds: float = 0.0) -> HeldLock:
        """Win the kernel lock and write the record, or raise LockHeld, LockUnsafe or LockUnwritable."""
        deadline = time.monotonic() + timeout_seconds
        grace_end = time.monotonic() + _PROBE_GRACE_SECONDS
        while True:
            won = self._try_acquire(record)
            if isinstance(won, HeldLock):
                return won
            now = time.monotonic()
            busy_without_holder = won.state is LockState.HELD and won.held_by_pid is None
            if now >= (max(deadline, grace_end) if busy_without_holder else deadline):
                raise self._refusal(won)
            time.sleep(min(_POLL_SECONDS, 0.01) if busy_without_holder else _POLL_SECONDS)

    def adopt(self, descriptor: int, record: LockRecord) -> HeldLock | None:
        """As `acquire`, on a descriptor that a calling shell opened, so that the lock outlives this process.

        None: the path names another file by now; open it anew. Raises as `acquire` does.
        """
        with self._store.directory(create=True) as directory, self._store.writing(directory):
            ours = self._store.checked(os.dup(descriptor))
            try:
                won = self._try_descriptor(directory, ours, record)
            except BaseException:
                os.close(ours)
                raise
        if not isinstance(won, HeldLock):
            os.close(ours)
        if isinstance(won, LockReading):
            raise self._refusal(won)
        return won

    def resume(self, descriptor: int, pid: int) -> HeldLock:
        """The hold that `adopt` made for the process `pid`, to release it. Raises LockLost when it is not there."""
        with self._store.directory() as directory:
            record = self._store.read(directory, descriptor).matching_record
            is_ours = descriptor_is_locked(descriptor) and self._store.is_at_path(directory, descriptor)
        if record is None or record.pid != pid or not is_ours:
            raise LockLost(self.path, f"PID {pid} does not hold it through this descriptor")
        return HeldLock(self._store, os.dup(descriptor), record, None)

    def survivor_name(self) -> Survivor | None:
        """See `gate.core.survivors`: what the sampler does again and again, and a refusal once."""
        return survivor_name(self._store, self.machine)

    def _refusal(self, refused: LockReading) -> LockHeld:
        """A holder whose PID line names nobody alive is searched for, once, and named in its files."""
        if refused.held_by_pid is not None or refused.state not in (LockState.HELD, LockState.HUNG):
            return LockHeld(self.path, refused)
        survivor = None
        with suppress(LockError, OSError):  # that it is held is what must be said
            survivor = self.survivor_name()
        seen = self.inspect()
        return LockHeld(self.path, seen if seen.is_live else refused, survivor)

    def _try_acquire(self, record: LockRecord) -> HeldLock | LockReading:
        with self._store.directory(create=True) as directory, self._store.writing(directory):
            while True:
                descriptor = self._store.open_or_create(directory)
                try:
                    won = self._try_descriptor(directory, descriptor, record)
                except BaseException:
                    os.close(descriptor)
                    raise
                if isinstance(won, HeldLock):
                    return won
                os.close(descriptor)
                if won is not None:
                    return won

    def _try_descriptor(self, directory: int, descriptor: int, record: LockRecord) -> HeldLock | LockReading | None:
        """None: the path names another file by now, so what was won protects nothing."""
        if not try_flock(descriptor, fcntl.LOCK_EX):
            return self._read_locked(directory, descriptor, search=False)
        before = self._settled(directory, descriptor)
        if not self._store.is_at_path(directory, descriptor):
            return None
        if before.is_live and not _is_same_hold(before.holder, record):
            return before
        ghosts = removed_lock_holders(self.path)
        if ghosts:
            sentence = f"held by PID {ghosts[0]} on a lock file that was removed under it"
            return self._reading(Judged(LockState.HELD, sentence, ("kernel lock: held",)), held_by_pid=ghosts[0])
        try:
            bound = self._store.write(directory, descriptor, record)
        except BaseException:  # also a signal's exception: our live PID must not stay behind without the kernel lock
            with suppress(OSError):
                self._store.blank(directory, descriptor)
            raise
        return HeldLock(self._store, descriptor, bound, before if before.is_proved_stale else None)

    def _settled(self, directory: int, descriptor: int) -> LockReading:
        """The judgement under the kernel lock; an empty file gets its grace, in case somebody is writing."""
        end = time.monotonic() + EMPTY_GRACE_SECONDS
        while True:
            contents = self._store.read(directory, descriptor)
            reading = self._read_unlocked(directory, descriptor)
            if contents.line.strip() or reading.state is LockState.FREE:
                return reading
            if time.monotonic() >= end:  # by our own clock: the wall clock may have jumped
                return self._reading(Judged(LockState.FREE, "free", reading.proof))
            time.sleep(_POLL_SECONDS)

    # ── clearing ─────────────────────────────────────────────────────────────────────────────────
    def clear_stale(self, who: str, why: str) -> ClearedLock:
        """Prove staleness again under the kernel lock, then leave the file as released.

        Raises LockHeld for a live holder, LockNotStale when there is nothing to clear. Garbage counts as
        stale here and only here: nobody has the kernel lock, and no number in it is the PID of a live process.
        """
        try:
            with self._store.directory() as directory, self._store.writing(directory):
                before = self._clear_in(directory)
        except FileNotFoundError:
            raise LockNotStale(self.path, self.inspect()) from None
        return ClearedLock(before=before, who=who, why=why, at_unix=time.time())

    def _clear_in(self, directory: int) -> LockReading:
        descriptor = self._store.open_or_create(directory)
        try:
            if not try_flock(descriptor, fcntl.LOCK_EX):
                raise LockHeld(self.path, self._read_locked(directory, descriptor, search=True))
            before = self._settled(directory, descriptor)
            if not before.is_proved_stale and before.state is not LockState.MALFORMED:
                raise (LockHeld if before.is_live else LockNotStale)(self.path, before)
            if before.state is LockState.MALFORMED:
                self._require_no_live_number(directory, descriptor, before)
            if not self._store.is_at_path(directory, descriptor):
                raise LockNotStale(self.path, self.inspect())
            self._store.blank(directory, descriptor)
            return before
        finally:
            os.close(descriptor)

    def _require_no_live_number(self, directory: int, descriptor: int, before: LockReading) -> None:
        """` 4711` or `PID=4711` is garbage to us, and may be an older script's way to say who it is."""
        for digits in re.findall(rb"[0-9]{1,10}", self._store.read(directory, descriptor).line):
            pid = parse_pid_line(digits.lstrip(b"0"))
            if pid is not None and pid > 1 and read_process(pid).alive:  # 1 is init, which is no script
                raise LockHeld(self.path, replace(before, sentence=f"{before.sentence}, and PID {pid} in it is alive"))


def _is_same_hold(before: LockRecord | None, record: LockRecord) -> bool:
    """The same process asks again: its first try was cut off between lock and answer."""
    return (
        before is not None
        and before.start_ticks is not None
        and (before.pid, before.host, before.boot_id, before.start_ticks)
        == (record.pid, record.host, record.boot_id, record.start_ticks)
    )
