"""Memory limits of the control groups this process lives in. The smaller figure of host and group counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gate.core.readings import MemorySource

__all__ = ["GroupMemory", "GroupPlace", "group_limit_bytes", "group_of", "oom_kills", "read_group_memory"]

_ROOT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
# Version 1 says "no limit" with the largest page-aligned number; nothing real comes near an exbibyte.
_NO_LIMIT_BYTES = 2**60


@dataclass(frozen=True, kw_only=True)
class GroupMemory:
    """The tightest group on the way to the root."""

    limit_bytes: int
    available_bytes: int
    source: MemorySource


@dataclass(frozen=True, kw_only=True)
class GroupPlace:
    """The control group that a process's memory is counted in. `name` as the process's own table has it."""

    name: str
    folder: Path
    source: MemorySource


def group_of(pid: int) -> GroupPlace | None:
    """None where that cannot be told: no memory controller, another mount, a process that is ending."""
    for root, controller, mark, source in (
        (_ROOT, "", "memory.events", MemorySource.CGROUP_V2),
        (_ROOT / "memory", "memory", "memory.oom_control", MemorySource.CGROUP_V1),
    ):
        try:
            name = _membership(controller, Path(f"/proc/{pid}/cgroup"))
        except (OSError, ValueError):
            return None
        if name is not None and (root / name.lstrip("/") / mark).exists():
            return GroupPlace(name=name, folder=root / name.lstrip("/"), source=source)
    return None


def oom_kills(place: GroupPlace) -> int | None:
    """How many of the group's own processes an OOM killer has ended so far."""
    # memory.events counts those of the groups below as well; the local file came with Linux 5.2.
    for name in ("memory.events.local", "memory.events", "memory.oom_control"):
        try:
            lines = (place.folder / name).read_text().splitlines()
        except OSError:
            continue
        counts = dict(line.split(" ", 1) for line in lines if " " in line)
        if "oom_kill" in counts:
            return int(counts["oom_kill"])
    return None


def group_limit_bytes(place: GroupPlace) -> int | None:
    """The group's own limit; None when it has none."""
    name = "memory.limit_in_bytes" if place.source is MemorySource.CGROUP_V1 else "memory.max"
    try:
        limit_bytes = _limit(place.folder / name)
    except (OSError, ValueError):
        return None
    return None if limit_bytes >= _NO_LIMIT_BYTES else limit_bytes


def read_group_memory() -> GroupMemory | None:
    """None when no group limits memory. Raises OSError or ValueError when one is there and unreadable."""
    groups = [_group_v2(folder) for folder in _folders(_ROOT, "", "memory.max")]
    groups += [_group_v1(folder) for folder in _folders(_ROOT / "memory", "memory", "memory.limit_in_bytes")]
    limited = [group for group in groups if group is not None]
    return min(limited, key=lambda group: group.available_bytes, default=None)


def _folders(root: Path, controller: str, limit_file: str) -> list[Path]:
    """Every folder from ours up to the root that has a limit; a limit of a parent binds us as well."""
    path = _membership(controller)
    if path is None:
        return []
    own = root / path.lstrip("/")
    chain = [folder for folder in (own, *own.parents) if folder.is_relative_to(root)]
    return [folder for folder in chain if (folder / limit_file).exists()]


def _membership(controller: str, table: Path | None = None) -> str | None:
    """A process's path in one hierarchy (ours without a `table`); the empty name is version 2. None: there is none."""
    table = table or _MEMBERSHIP
    if not table.exists():
        return None
    for line in table.read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return path
    return None


def _group_v2(folder: Path) -> GroupMemory | None:
    # memory.high throttles a group to a crawl before memory.max kills it: both are the end of the room.
    limits = [_limit(folder / name) for name in ("memory.max", "memory.high")]
    return _group(
        limit_bytes=min(limits),
        used_bytes=int((folder / "memory.current").read_text()),
        reclaimable_bytes=_stat_bytes(folder, "inactive_file"),
        source=MemorySource.CGROUP_V2,
    )


def _group_v1(folder: Path) -> GroupMemory | None:
    return _group(
        limit_bytes=_limit(folder / "memory.limit_in_bytes"),
        used_bytes=int((folder / "memory.usage_in_bytes").read_text()),
        reclaimable_bytes=_stat_bytes(folder, "total_inactive_file"),
        source=MemorySource.CGROUP_V1,
    )


def _group(*, limit_bytes: int, used_bytes: int, reclaimable_bytes: int, source: MemorySource) -> GroupMemory | None:
    """Available as Kubernetes counts it: limit less the working set, which is usage less inactive files."""
    if limit_bytes >= _NO_LIMIT_BYTES:
        return None
    working_bytes = max(0, used_bytes - reclaimable_bytes)
    available_bytes = max(0, limit_bytes - working_bytes)
    return GroupMemory(limit_bytes=limit_bytes, available_bytes=available_bytes, source=source)


def _limit(path: Path) -> int:
    if not path.exists():
        return _NO_LIMIT_BYTES
    text = path.read_text().strip()
    return _NO_LIMIT_BYTES if text == "max" else int(text)


def _stat_bytes(folder: Path, key: str) -> int:
    for line in (folder / "memory.stat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return int(value)
    return 0
