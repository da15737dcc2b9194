"""The lock in the hands of its holder: name who works, show life, look whether it is ours, let go."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import replace
from types import TracebackType

from gate.core.errors import LockError, LockLost
from gate.core.identity import descriptor_holders, descriptor_is_locked, with_process
from gate.core.lockstore import LockStore, try_flock
from gate.core.readings import LockReading
from gate.core.records import LockRecord
from gate.core.staleness import Contents

__all__ = ["HeldLock"]


class HeldLock:
    """The lock while we have it. `took_over` is the stale lock that was found in its place, if one was."""

    def __init__(self, store: LockStore, descriptor: int, record: LockRecord, took_over: LockReading | None) -> None:
        self.path = store.path
        self.record = record
        self.took_over = took_over
        self._descriptor: int | None = descriptor
        self._store = store

    def __enter__(self) -> HeldLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def fileno(self) -> int:
        """For `pass_fds`: a child that has it keeps the lock, also when this process is killed."""
        if self._descriptor is None:
            raise LockLost(self.path, "already released")
        return self._descriptor

    def update(self, record: LockRecord) -> None:
        """Write who holds it now, above all the engine's PID: old scripts delete a lock whose PID is gone."""
        with self._store.directory() as directory, self._store.writing(directory):
            self._require_ours_in(directory)
            self.record = self._store.write(directory, self.fileno(), record)

    def update_pid(self, pid: int) -> None:
        """`update` for the same hold, named after the process that now does the heavy work."""
        self.update(with_process(self.record, pid))

    def heartbeat(self) -> None:
        """A sign of life; raises LockLost when the lock is gone from under us."""
        self.require_ours()
        with self._store.directory() as directory:
            self._store.touch_record(directory)

    def require_ours(self) -> None:
        """Raise LockLost unless path and PID line still say that it is ours."""
        problem = self.problem()
        if problem is not None:
            raise LockLost(self.path, problem)

    def problem(self) -> str | None:
        """What is wrong with our hold: an old script may have deleted the file or written over our line."""
        try:
            with self._store.directory() as directory:
                if self._problem_in(directory) is None:
                    return None
                with self._store.writing(directory):  # somebody may just be between line and record
                    return self._problem_in(directory)
        except (LockError, OSError) as problem:
            return str(problem)

    def _require_ours_in(self, directory: int) -> None:
        problem = self._problem_in(directory)
        if problem is not None:
            raise LockLost(self.path, problem)

    def _problem_in(self, directory: int) -> str | None:
        if not self._store.is_at_path(directory, self.fileno()):
            return "the lock file was removed or replaced while we held it"
        contents = self._store.read(directory, self.fileno())
        if contents.pid == self.record.pid or self._follow(contents):
            return None
        return f"another process wrote its PID {contents.pid} over ours"

    def _follow(self, contents: Contents) -> bool:
        """Whom our line named is gone, and somebody named another process of our hold in its place: still ours.

        The record says so; or, when whoever wrote it was killed before the record, the named one's locked descriptor.
        """
        named, pid = contents.matching_record, contents.pid
        if pid is None or not descriptor_is_locked(self.fileno()):
            return False
        is_said = named is not None and named.named_over_pid is not None
        if not is_said and pid not in descriptor_holders(os.fstat(self.fileno())):
            return False
        self.record = with_process(self.record, pid).bound_to(contents.line_mtime_ns)
        return True

    def release(self) -> bool:
        """Close our descriptor, never unlock it: False when a child that inherited it keeps the lock."""
        if self._descriptor is None:
            return True
        survivors = self._survivors()
        with suppress(LockError, OSError):  # what cannot be tidied now is proved stale by the next one
            self._say_goodbye(survivors)
        descriptor, self._descriptor = self._descriptor, None
        os.close(descriptor)
        with suppress(LockError, OSError):
            self._blank_if_last()
        return not survivors

    def give_back(self, sharing: frozenset[int]) -> tuple[int, ...]:
        """Release a lock whose descriptor a calling shell opened: it and its ancestors are `sharing`.

        The shell closes its own next, and with the last descriptor the kernel lets go: never unlocked here,
        because a child that cannot be seen may have it. Returns the PIDs of those that can, and keep it.
        """
        survivors = [pid for pid in self._survivors() if pid not in sharing]
        if survivors:
            self._say_goodbye(survivors)
        else:
            with self._store.directory() as directory, self._store.writing(directory):
                self._require_ours_in(directory)
                self._store.blank(directory, self.fileno())
        descriptor, self._descriptor = self.fileno(), None
        os.close(descriptor)
        return tuple(survivors)

    def _survivors(self) -> list[int]:
        holders = descriptor_holders(os.fstat(self.fileno()))
        return [pid for pid in holders if pid != os.getpid()]

    def _say_goodbye(self, survivors: list[int]) -> None:
        """Let the files name a process that keeps the lock, or say that nobody does."""
        with self._store.directory() as directory, self._store.writing(directory):
            self._require_ours_in(directory)
            if not survivors:
                self._mark_released(directory)
            elif self.record.pid not in survivors:
                self._name_survivor(directory, survivors[0])

    def _mark_released(self, directory: int) -> None:
        try:
            self._store.mark_released(directory, self.fileno(), self.record)
        except OSError:  # a full disk: emptying needs no room, and a line that names us would outlive our hold
            self._store.blank(directory, self.fileno())

    def _name_survivor(self, directory: int, pid: int) -> None:
        record = replace(with_process(self.record, pid), named_over_pid=self.record.pid)
        try:
            self.record = self._store.write(directory, self.fileno(), record)
        except OSError:  # a full disk: the line alone is enough for older scripts, and ends with that process
            self._store.write_line(self.fileno(), pid)

    def _blank_if_last(self) -> None:
        """Old scripts must not see a live PID. Whoever won the lock meanwhile has written another."""
        with self._store.directory() as directory, self._store.writing(directory):
            descriptor = self._store.open_or_create(directory)
            try:
                if try_flock(descriptor, fcntl.LOCK_EX) and self._store.is_at_path(directory, descriptor):
                    record = self._store.read(directory, descriptor).matching_record
                    if record is not None and record.released:
                        self._store.blank(directory, descriptor)
            finally:
                os.close(descriptor)
