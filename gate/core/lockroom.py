"""Whether the lock's folder could take a new holder's files. Only looks: a check must not write, not even to try."""

from __future__ import annotations

import os
from pathlib import Path

from gate.core.units import bytes_text

__all__ = ["folder_problem", "room_problem"]

# PID line, the new record beside the old one until it is renamed, and the folder itself: a block of 4 KiB each, the
# default of ext4, xfs, btrfs and tmpfs; larger where the file system says so.
_BLOCKS = 3
_BLOCK_BYTES = 4096


def folder_problem(folder: Path, name: str | None) -> str | None:
    """Why nobody could take the lock `name` in this folder; None for one that looks fit.

    `name` is None where the folder itself is yet to be made in `folder`. A quota is not seen: only writing finds it.
    """
    try:
        found = os.statvfs(folder)
    except OSError as problem:
        return f"{folder} cannot be looked at: {problem.strerror}"
    problem_text = room_problem(found, is_root=os.geteuid() == 0)
    if problem_text is not None:
        return f"the file system of {folder} {problem_text}"
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        return f"no permission to write in {folder}"
    if name is None:
        return None
    path = folder / name
    if os.path.lexists(path) and not os.access(path, os.R_OK | os.W_OK, effective_ids=True):
        return f"no permission to write {path}"
    record = folder / f"{name}.json"
    return f"{record} is a folder" if record.is_dir() and not record.is_symlink() else None


def room_problem(found: os.statvfs_result, *, is_root: bool) -> str | None:
    """Pure. `is_root`: the reserve that file systems keep for root counts as well."""
    if found.f_flag & os.ST_RDONLY:
        return "is mounted read-only"
    free_blocks, free_files = (found.f_bfree, found.f_ffree) if is_root else (found.f_bavail, found.f_favail)
    free_bytes = free_blocks * found.f_frsize
    needed_bytes = _BLOCKS * max(_BLOCK_BYTES, found.f_frsize)
    if found.f_blocks and free_bytes < needed_bytes:  # no blocks at all: a tmpfs without a limit
        return f"is full: {bytes_text(free_bytes)} free, the lock's files need {bytes_text(needed_bytes)}"
    if found.f_files and free_files < 1:  # no count at all: btrfs makes them as it goes
        return "is full: no inode is left for another file"
    return None
