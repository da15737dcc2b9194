"""Settings, the checks of Django and of the panel, the database, and the model that is chosen when nobody chooses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.core.checks import ERROR, WARNING, CheckMessage, run_checks
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

from gate.conf import gate_policy
from gate.core.checks import never_passes
from gate.core.policy import GatePolicy
from gate.core.readings import MemoryReading
from gate.core.requirement import Requirement, largest_fitting
from j5a_admin.doctor.findings import Finding, failed, passed, warned
from j5a_admin.host import host_name_known
from transcribe.catalog import model_named
from transcribe.errors import ModelUnknown
from transcribe.resolve import DEMO, FILE, model_is_here, model_requirement

__all__ = [
    "check_findings",
    "database_file",
    "database_findings",
    "debug_findings",
    "default_model_findings",
    "host_findings",
    "judge_database",
    "judge_debug",
    "judge_default_model",
    "judge_host",
    "judge_messages",
]


# ── Django's checks ──────────────────────────────────────────────────────────────────────────────
def check_findings() -> tuple[Finding, ...]:
    return judge_messages(run_checks(include_deployment_checks=False))


def judge_messages(messages: Iterable[CheckMessage]) -> tuple[Finding, ...]:
    """One line for each message from a warning on; one for all when there is none."""
    found = tuple(_judge_message(message) for message in messages if message.level >= WARNING)
    return found or (passed("settings", "The checks of Django and of the panel find nothing."),)


def _judge_message(message: CheckMessage) -> Finding:
    advice = message.hint or "See the message, and mend the setting that it names."
    return (failed if message.level >= ERROR else warned)(f"check {message.id}", str(message.msg), advice)


def debug_findings() -> tuple[Finding, ...]:
    return (judge_debug(settings.DEBUG),)


def judge_debug(is_on: bool) -> Finding:
    if is_on:
        return failed("debug mode", "It is on: an error shows settings and code to everybody.", "Set DEBUG to False.")
    return passed("debug mode", "It is off.")


# ── the name of this machine ─────────────────────────────────────────────────────────────────────
def host_findings() -> tuple[Finding, ...]:
    path = Path(settings.DATA_DIR) / "host_id"
    return (judge_host(str(settings.HOST_ID), host_name_known(path), path),)


def judge_host(in_use: str, kept: str, path: Path) -> Finding:
    """`kept`: the name in `path`; empty when there is none. They differ only where J5A_HOST_ID is set."""
    if not kept or kept == in_use:
        return passed("machine's name", f"Rows of this machine are kept under “{in_use}”.")
    return warned(
        "machine's name",
        f"J5A_HOST_ID is “{in_use}”, but {path} keeps “{kept}”: what was recorded under that is not shown.",
        f"Leave J5A_HOST_ID away to go on under “{kept}”. If “{in_use}” is meant, stop the panel and remove {path}.",
    )


# ── the database ─────────────────────────────────────────────────────────────────────────────────
def database_file() -> Path:
    """Of the connection, not of the settings: what is in use."""
    return Path(str(connections[DEFAULT_DB_ALIAS].settings_dict["NAME"]))


def database_findings() -> tuple[Finding, ...]:
    # To open a database that is not there would make an empty one.
    steps = _pending_steps() if database_file().exists() else None
    return (judge_database(database_file(), steps),)


def judge_database(path: Path, pending_steps: int | None) -> Finding:
    """`pending_steps`: migrations that were not applied; None when there is no database."""
    if pending_steps is None:
        return warned("database", f"There is none yet at {path}.", "Run `make run` once: it makes the database.")
    if pending_steps:
        return warned(
            "database",
            f"{path} is older than the program: {pending_steps} step{'s are' if pending_steps > 1 else ' is'} to do.",
            "Stop the panel and start it anew with `make run`, which does them first.",
        )
    return passed("database", f"{path} is up to date.")


def _pending_steps() -> int:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


# ── the default model ────────────────────────────────────────────────────────────────────────────
def default_model_findings(reading: MemoryReading) -> tuple[Finding, ...]:
    name, policy = str(settings.DEFAULT_MODEL), gate_policy()
    if _needs_database(name) and not database_file().exists():
        sentence = f"{name} cannot be looked up before there is a database."
        return (warned("default model", sentence, "Run `make run` once."),)
    try:
        requirement, is_here = model_requirement(name), model_is_here(name)
    except ModelUnknown as unknown:
        advice = "Choose another with J5A_DEFAULT_MODEL, or bring it back."
        return (failed("default model", f"{name}: {unknown}", advice),)
    return (judge_default_model(reading, policy, requirement, is_here=is_here),)


def judge_default_model(
    reading: MemoryReading, policy: GatePolicy, requirement: Requirement, *, is_here: bool
) -> Finding:
    name = requirement.model
    if never_passes(reading, policy, requirement):
        fits = largest_fitting(reading.total_bytes or 0, policy)
        advice = "Add memory, or lower J5A_MARGIN_GIB." if fits is None else f"Set J5A_DEFAULT_MODEL={fits.model}."
        return warned("default model", f"{name} can never start on this machine: it has too little memory.", advice)
    if not is_here:
        return passed("default model", f"{name}; its weights are fetched from the internet on first use.")
    return passed("default model", f"{name}; its file is here.")


def _needs_database(name: str) -> bool:
    return name != DEMO and not name.startswith(FILE) and model_named(name) is None
