"""Run every check. None may raise, and none may hide another: what fails by itself becomes a line."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property

from django.db import DatabaseError

from gate.conf import gate_policy, host_id, lock_path
from gate.core.readings import Snapshot
from gate.core.sensors import SensorMemory, take_snapshot
from gate.services import snapshot_take
from j5a_admin.doctor.configuration import (
    check_findings,
    database_file,
    database_findings,
    debug_findings,
    default_model_findings,
    host_findings,
)
from j5a_admin.doctor.findings import Finding, Group, failed
from j5a_admin.doctor.memory import memory_findings
from j5a_admin.doctor.network import network_findings
from j5a_admin.doctor.permissions import data_findings, lock_findings, models_findings, private_file_findings
from j5a_admin.doctor.processes import PanelProcess, judge_foreign, panel_findings, panel_processes
from j5a_admin.doctor.processor import processor_findings
from j5a_admin.doctor.storage import models_disk_findings, uploads_disk_findings
from j5a_admin.doctor.temperature import temperature_findings

__all__ = ["examine", "examine_groups"]


class Machine:
    """What several checks look at, read once and only when asked for."""

    @cached_property
    def snapshot(self) -> Snapshot:
        """As the gate sees it; without a database nothing is known of earlier times, and the readings still are."""
        if database_file().exists():
            with suppress(DatabaseError):  # told by the check of the database
                return snapshot_take()
        own_pids = frozenset({os.getpid()})
        return take_snapshot(gate_policy(), lock_path(), known=SensorMemory(), own_pids=own_pids, host=host_id())

    @cached_property
    def panels(self) -> tuple[PanelProcess, ...]:
        return panel_processes()


Check = Callable[[Machine], tuple[Finding, ...]]

# Title of the group, then what each check is about and the check itself.
_GROUPS: tuple[tuple[str, tuple[tuple[str, Check], ...]], ...] = (
    ("Processor", (("processor", lambda _: processor_findings()),)),
    ("Memory", (("memory", lambda machine: memory_findings(machine.snapshot.memory)),)),
    (
        "Disk",
        (
            ("disk for models", lambda machine: models_disk_findings(machine.snapshot.memory.total_bytes)),
            ("disk for uploads", lambda _: uploads_disk_findings()),
        ),
    ),
    ("Temperature", (("temperature", lambda machine: temperature_findings(machine.snapshot.temperature)),)),
    (
        "Permissions",
        (
            ("data directory", lambda _: data_findings()),
            ("private files", lambda _: private_file_findings()),
            ("models directory", lambda _: models_findings()),
            ("lock", lambda _: lock_findings()),
        ),
    ),
    ("Network", (("port", lambda machine: network_findings(machine.panels)),)),
    (
        "Configuration",
        (
            ("settings", lambda _: check_findings()),
            ("debug mode", lambda _: debug_findings()),
            ("machine's name", lambda _: host_findings()),
            ("database", lambda _: database_findings()),
            ("default model", lambda machine: default_model_findings(machine.snapshot.memory)),
        ),
    ),
    (
        "Processes",
        (
            ("foreign Whisper", lambda machine: judge_foreign(machine.snapshot.processes)),
            ("panels", lambda machine: panel_findings(machine.panels)),
        ),
    ),
)


def examine() -> tuple[Finding, ...]:
    return tuple(finding for group in examine_groups() for finding in group.findings)


def examine_groups() -> tuple[Group, ...]:
    machine = Machine()
    return tuple(
        Group(title=title, findings=tuple(f for subject, check in checks for f in guarded(subject, check, machine)))
        for title, checks in _GROUPS
    )


def guarded(subject: str, check: Check, machine: Machine) -> tuple[Finding, ...]:
    """The check's lines, or one that says why it has none: a broken machine must not break its doctor."""
    try:
        return check(machine)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        advice = "Mend what it names. Nothing is known about this point until then; the other lines stand."
        return (failed(subject, f"It could not be examined ({reason}).", advice),)
