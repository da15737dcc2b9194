"""The files of the lock, opened so that nobody else's symlink, directory or file is followed or changed."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from gate.core.errors import LockError, LockUnsafe, LockUnwritable
from gate.core.records import LockRecord, MalformedRecord, encode_record, parse_record
from gate.core.staleness import RELEASED_MTIME_NS, Contents

__all__ = ["SAFE_FLAGS", "WRITER_WAIT_SECONDS", "LockStore", "replace_file", "try_flock"]

# One writer of the files at a time. Longer than anybody who runs needs, a slow disk's fsync included; who has the
# kernel lock then goes ahead, so that a writer stopped in the middle (SIGSTOP) cannot block the lock for good.
WRITER_WAIT_SECONDS = 10.0
_WRITER_POLL_SECONDS = 0.005
# More than any real content; a huge file is read no further.
_READ_BYTES = 65536
_LEFTOVER_SECONDS = 3600.0  # no writer takes that long between making a file and renaming it
SAFE_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # O_NONBLOCK: a planted FIFO must not hang us


class LockStore:
    """Paths and bytes only; who may hold the lock is decided elsewhere."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = path.name
        self._record_name = path.name + ".json"

    @contextmanager
    def directory(self, *, create: bool = False) -> Iterator[int]:
        """A descriptor of the directory. FileNotFoundError when missing and not to be created."""
        if create:
            self._create_directory()
        descriptor = self._open_directory()
        try:
            self._require_safe_directory(os.fstat(descriptor))
            yield descriptor
        except OSError as problem:
            raise self._as_lock_error(problem) from problem
        finally:
            os.close(descriptor)

    def open_existing(self, directory: int) -> int | None:
        """For looking only; None when there is no lock file."""
        try:
            descriptor = os.open(self._name, os.O_RDONLY | SAFE_FLAGS, dir_fd=directory)
        except FileNotFoundError:
            return None
        return self.checked(descriptor)

    def open_to_write(self, directory: int) -> int | None:
        """None when there is no lock file."""
        try:
            return self.checked(os.open(self._name, os.O_RDWR | SAFE_FLAGS, dir_fd=directory))
        except FileNotFoundError:
            return None

    def open_or_create(self, directory: int) -> int:
        """For locking. A new file appears as a released one, never half made."""
        while (descriptor := self.open_to_write(directory)) is None:
            self._publish_released(directory)
        return descriptor

    def checked(self, descriptor: int) -> int:
        """The descriptor, if it is a plain file of ours; closed and refused otherwise."""
        found = os.fstat(descriptor)
        problem = None
        if not stat.S_ISREG(found.st_mode):
            problem = "it is not a plain file"
        elif found.st_uid != os.geteuid():
            problem = f"it belongs to user id {found.st_uid}, not to us ({os.geteuid()})"
        elif found.st_nlink > 2:  # 2 for the moment in which a new file is published
            problem = "it has other names (hard links)"
        if problem is not None:
            os.close(descriptor)
            raise LockUnsafe(self.path, problem)
        return descriptor

    def is_at_path(self, directory: int, descriptor: int) -> bool:
        """Whether the path still names the file behind the descriptor."""
        try:
            there = os.stat(self._name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(descriptor))

    def read(self, directory: int, descriptor: int) -> Contents:
        record, problem = self._read_record(directory)
        return Contents(
            line=os.pread(descriptor, _READ_BYTES, 0),
            line_mtime_ns=os.fstat(descriptor).st_mtime_ns,
            record=record,
            record_problem=problem,
        )

    def heartbeat_unix(self, directory: int) -> float | None:
        """When the holder last gave a sign of life."""
        try:
            return os.stat(self._record_name, dir_fd=directory, follow_symlinks=False).st_mtime
        except FileNotFoundError:
            return None

    @contextmanager
    def writing(self, directory: int, *, wait_seconds: float | None = None) -> Iterator[bool]:
        """Be the only one who writes line and record; yields False when that could not be had in time.

        It is a kernel lock on the directory: nothing has to be made for it (a full disk), nothing is left behind, and
        no old script can remove it. Who wants both takes it before the kernel lock on the file, so that nobody is seen
        between winning that and writing the line.
        """
        alone = _wait_for_flock(directory, WRITER_WAIT_SECONDS if wait_seconds is None else wait_seconds)
        try:
            yield alone
        finally:
            if alone:  # said, because a child in the middle of its start may have a copy of the descriptor
                fcntl.flock(directory, fcntl.LOCK_UN)

    # ── only for whoever has the kernel lock, and for naming a survivor ──────────────────────────────
    def write(self, directory: int, descriptor: int, record: LockRecord) -> LockRecord:
        """PID line, then record; returns the record as bound to that line. On an error both are as before."""
        line, mtime_ns = os.pread(descriptor, _READ_BYTES, 0), os.fstat(descriptor).st_mtime_ns
        try:
            self.write_line(descriptor, record.pid)
            bound = record.bound_to(os.fstat(descriptor).st_mtime_ns)
            replace_file(directory, self._record_name, encode_record(bound))
        except BaseException:
            with suppress(OSError):
                _write_over(descriptor, line)
                os.utime(descriptor, ns=(mtime_ns, mtime_ns))  # binds the record that is still there
            raise
        return bound

    def write_line(self, descriptor: int, pid: int) -> None:
        _write_over(descriptor, f"{pid}\n".encode())

    def mark_released(self, directory: int, descriptor: int, record: LockRecord) -> None:
        """Said before the descriptor closes, so that a contender who wins it at once does not wait for us.

        For the line as it is now: who looked at it while it was being written has seen another date.
        """
        released = replace(record.bound_to(os.fstat(descriptor).st_mtime_ns), released=True)
        replace_file(directory, self._record_name, encode_record(released))

    def blank(self, directory: int, descriptor: int) -> None:
        """Leave the file as released: not removed, because that would split waiters over two files."""
        os.ftruncate(descriptor, 0)
        os.utime(descriptor, ns=(RELEASED_MTIME_NS, RELEASED_MTIME_NS))
        with suppress(FileNotFoundError):
            os.unlink(self._record_name, dir_fd=directory)

    def touch_record(self, directory: int) -> None:
        with suppress(FileNotFoundError):
            os.utime(self._record_name, dir_fd=directory, follow_symlinks=False)

    # ── private ──────────────────────────────────────────────────────────────────────────────────
    def _create_directory(self) -> None:
        try:
            os.makedirs(self.path.parent.parent, exist_ok=True)  # noqa: PTH103
            os.mkdir(self.path.parent, 0o700)  # noqa: PTH102 - exact mode, and an error when it exists
        except FileExistsError:
            pass
        except OSError as problem:
            raise self._as_lock_error(problem) from problem

    def _open_directory(self) -> int:
        try:
            return os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as problem:
            raise self._as_lock_error(problem) from problem

    def _require_safe_directory(self, found: os.stat_result) -> None:
        folder = self.path.parent
        if found.st_uid not in (os.geteuid(), 0):
            raise LockUnsafe(self.path, f"the directory {folder} belongs to user id {found.st_uid}, not to us")
        if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
            raise LockUnsafe(self.path, f"everybody may write in {folder}: chmod o-w it")

    def remove_leftovers(self, directory: int) -> None:
        """What writers left half-written that were killed: old files of our own naming, and nothing else."""
        ours = re.compile(rf"\.{re.escape(self._name)}(\.json)?\.\d+\.[0-9a-f]{{8}}")
        for name in filter(ours.fullmatch, os.listdir(directory)):
            with suppress(OSError):  # another user's, or just gone
                if time.time() - os.lstat(name, dir_fd=directory).st_mtime > _LEFTOVER_SECONDS:
                    os.unlink(name, dir_fd=directory)

    def _publish_released(self, directory: int) -> None:
        temporary = f".{self._name}.{os.getpid()}.{os.urandom(4).hex()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE_FLAGS
        descriptor = os.open(temporary, flags, 0o644, dir_fd=directory)
        try:
            os.utime(descriptor, ns=(RELEASED_MTIME_NS, RELEASED_MTIME_NS))
            with suppress(FileExistsError):  # somebody was faster: theirs is as good
                os.link(temporary, self._name, src_dir_fd=directory, dst_dir_fd=directory)
        finally:
            os.close(descriptor)
            os.unlink(temporary, dir_fd=directory)

    def _read_record(self, directory: int) -> tuple[LockRecord | None, str | None]:
        try:
            descriptor = os.open(self._record_name, os.O_RDONLY | SAFE_FLAGS, dir_fd=directory)
        except FileNotFoundError:
            return None, None
        except OSError as problem:
            return None, f"not readable ({problem.strerror})"
        try:
            self.checked(descriptor)
        except LockUnsafe as problem:
            return None, problem.reason
        try:
            return parse_record(os.read(descriptor, _READ_BYTES)), None
        except (OSError, MalformedRecord) as problem:
            return None, f"malformed ({problem})"
        finally:
            os.close(descriptor)

    def _as_lock_error(self, problem: OSError) -> LockError:
        return _lock_error(self.path, problem)


_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
_UNSAFE_TEXT = {
    errno.ELOOP: "it is a symbolic link, which is never followed",
    errno.ENOTDIR: "its directory is a file or a symbolic link",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
}


def _lock_error(path: Path, problem: OSError) -> LockError:
    text = problem.strerror or str(problem)
    if problem.errno in _UNWRITABLE:
        return LockUnwritable(path, f"cannot be written: {text}")
    text = _UNSAFE_TEXT.get(problem.errno or 0, text)
    replaced = problem.filename2  # of a rename: the file beside the lock that could not be replaced
    return LockUnsafe(path, f"{replaced} beside it cannot be replaced: {text}" if replaced else text)


def _write_over(descriptor: int, line: bytes) -> None:
    """In place, never emptied first. Every moment in between reads as one PID: shells drop the newlines that pad it."""
    padded = line.ljust(min(os.fstat(descriptor).st_size, _READ_BYTES), b"\n")
    if os.pwrite(descriptor, padded, 0) != len(padded):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.ftruncate(descriptor, len(line))


def _wait_for_flock(descriptor: int, wait_seconds: float) -> bool:
    end = time.monotonic() + wait_seconds
    while True:
        try:
            if try_flock(descriptor, fcntl.LOCK_EX):
                return True
        except OSError:  # a file system that locks no directories: then nobody names a survivor there
            return False
        if time.monotonic() >= end:
            return False
        time.sleep(_WRITER_POLL_SECONDS)


def replace_file(directory: int, name: str, data: bytes) -> None:
    """Write beside its place, then rename: whoever reads sees the old or the new, and no link is followed."""
    temporary = f".{name}.{os.getpid()}.{os.urandom(4).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | SAFE_FLAGS
    descriptor = os.open(temporary, flags, 0o644, dir_fd=directory)
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
        os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(temporary, dir_fd=directory)
        raise
    finally:
        os.close(descriptor)


def try_flock(descriptor: int, mode: int) -> bool:
    """Take the kernel lock without waiting; False when somebody else has it."""
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
