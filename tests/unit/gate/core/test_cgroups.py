from __future__ import annotations

from pathlib import Path

import pytest

from gate.core import cgroups
from gate.core.readings import MemorySource
from gate.core.units import GIB


class Tree:
    """A small /sys/fs/cgroup of real files."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, membership: str) -> None:
        self.root = root / "cgroup"
        (root / "membership").write_text(membership)
        monkeypatch.setattr(cgroups, "_ROOT", self.root)
        monkeypatch.setattr(cgroups, "_MEMBERSHIP", root / "membership")

    def v2(self, path: str, *, limit: str, used: int, inactive: int = 0, high: str = "max") -> None:
        self._write(path, {"memory.max": limit, "memory.high": high, "memory.current": str(used),
                           "memory.stat": f"anon 5\ninactive_file {inactive}\n"})  # fmt: skip

    def v1(self, path: str, *, limit: int, used: int, inactive: int = 0) -> None:
        self._write("memory/" + path, {
            "memory.limit_in_bytes": str(limit), "memory.usage_in_bytes": str(used),
            "memory.stat": f"inactive_file 1\ntotal_inactive_file {inactive}\n"})  # fmt: skip

    def _write(self, path: str, files: dict[str, str]) -> None:
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text + "\n")


def test_version_2_counts_inactive_files_as_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(tmp_path, monkeypatch, "0::/user.slice/app\n")
    tree.v2("user.slice/app", limit=str(12 * GIB), used=5 * GIB, inactive=GIB)
    group = cgroups.read_group_memory()
    assert group == cgroups.GroupMemory(limit_bytes=12 * GIB, available_bytes=8 * GIB, source=MemorySource.CGROUP_V2)


def test_the_tightest_group_on_the_way_to_the_root_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(tmp_path, monkeypatch, "0::/a/b\n")
    tree.v2("a/b", limit="max", used=GIB)
    tree.v2("a", limit=str(3 * GIB), used=GIB)
    group = cgroups.read_group_memory()
    assert group is not None
    assert group.available_bytes == 2 * GIB


def test_the_high_mark_of_version_2_is_a_limit_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Tree(tmp_path, monkeypatch, "0::/a\n").v2("a", limit="max", used=0, high=str(2 * GIB))
    group = cgroups.read_group_memory()
    assert group is not None
    assert group.limit_bytes == 2 * GIB


def test_version_1_is_read_from_its_own_hierarchy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(tmp_path, monkeypatch, "8:pids:/x\n4:memory:/box\n0::/\n")
    tree.v1("box", limit=6 * GIB, used=2 * GIB, inactive=GIB)
    group = cgroups.read_group_memory()
    assert group == cgroups.GroupMemory(limit_bytes=6 * GIB, available_bytes=5 * GIB, source=MemorySource.CGROUP_V1)


def test_a_container_that_sees_only_its_own_root_reads_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(tmp_path, monkeypatch, "4:memory:/docker/0123\n")
    tree.v1("", limit=2 * GIB, used=0)
    group = cgroups.read_group_memory()
    assert group is not None
    assert group.limit_bytes == 2 * GIB


def test_no_limit_is_no_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(tmp_path, monkeypatch, "4:memory:/box\n0::/a\n")
    tree.v1("box", limit=9223372036854771712, used=GIB)
    tree.v2("a", limit="max", used=GIB)
    assert cgroups.read_group_memory() is None


def test_usage_over_the_limit_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Tree(tmp_path, monkeypatch, "0::/a\n").v2("a", limit=str(GIB), used=2 * GIB)
    group = cgroups.read_group_memory()
    assert group is not None
    assert group.available_bytes == 0


def test_garbage_is_an_error_not_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Tree(tmp_path, monkeypatch, "0::/a\n").v2("a", limit="much", used=GIB)
    with pytest.raises(ValueError, match="much"):
        cgroups.read_group_memory()
