"""Memory of the panel when nothing runs: what each process has for itself, and that torch is in none of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.report import Row, Section
from tests.support.panel import Panel, until

MB = 1_000_000
LIMIT_MB = 200
SETTLE_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Group:
    """One of the panel's commands with all processes below it."""

    name: str
    count: int
    unique_bytes: int
    proportional_bytes: int
    with_torch: int


def measure(panel: Panel) -> list[Group]:
    """Call after a job has run and pages were opened: then everything has been imported that ever will be."""
    for path in ("/", "/jobs/", "/live/"):
        panel.get(path)
    until(lambda: not panel.engines(), seconds=60, what="the engine has ended")
    time.sleep(SETTLE_SECONDS)
    main = panel.family()[0]
    trees = {name: _tree(panel.child(word)) for name, word in _WORDS.items()}
    return [_group(name, processes) for name, processes in trees.items()] + [_group("up", [main])]


# The argument by which each command is told from the others.
_WORDS = {"web": "gunicorn", "worker": "worker", "sampler": "sampler"}


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _group(name: str, processes: list[psutil.Process]) -> Group:
    memory = [process.memory_full_info() for process in processes]
    return Group(
        name=name,
        count=len(processes),
        unique_bytes=sum(info.uss for info in memory),
        proportional_bytes=sum(info.pss for info in memory),
        with_torch=sum("torch" in Path(f"/proc/{process.pid}/maps").read_text() for process in processes),
    )


def section(groups: list[Group]) -> Section:
    three = [group for group in groups if group.name != "up"]
    total = sum(group.unique_bytes for group in three) / MB
    with_up = sum(group.unique_bytes for group in groups) / MB
    shared = sum(group.proportional_bytes for group in groups) / MB
    torch = sum(group.with_torch for group in groups)
    return Section(
        title="Memory when nothing runs",
        how=(
            "After jobs have run and pages were opened, with the engine gone: the unique memory (USS) of each "
            "command and of every process below it, and whether a library of torch is mapped in any of them."
        ),
        rows=[
            *(Row(what=_what(group), measured=f"{group.unique_bytes / MB:.1f} MB") for group in groups),
            Row(
                what="web, worker and sampler together",
                measured=f"{total:.1f} MB",
                goal=f"< {LIMIT_MB} MB",
                met=total < LIMIT_MB,
            ),
            Row(what="the same with the supervisor", measured=f"{with_up:.1f} MB"),
            Row(what="all, with their share of common pages (PSS)", measured=f"{shared:.1f} MB"),
            Row(what="processes with torch", measured=str(torch), goal="none", met=torch == 0),
        ],
    )


def _what(group: Group) -> str:
    name = "up (the supervisor)" if group.name == "up" else group.name
    return f"{name}, {group.count} process{'es' if group.count > 1 else ''}"
