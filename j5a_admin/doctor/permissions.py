"""Who may read and write the panel's folders and files."""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from gate.core.checks import LOCK_DIR_ADVICE, LOCK_MALFORMED_ADVICE
from gate.core.readings import LockReading, LockState
from gate.services import lock_status
from j5a_admin.doctor.configuration import database_file
from j5a_admin.doctor.findings import Finding, failed, passed, warned

__all__ = [
    "PathFacts",
    "data_findings",
    "judge_data_directory",
    "judge_lock",
    "judge_models_directory",
    "judge_private_file",
    "lock_findings",
    "models_findings",
    "private_file_findings",
    "read_path",
]

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, kw_only=True)
class PathFacts:
    """`mode` holds the permission bits; None when nothing is there. `writable`: this process may write or make it."""

    path: Path
    mode: int | None
    owner_id: int = 0
    writable: bool = False


def data_findings() -> tuple[Finding, ...]:
    return (judge_data_directory(read_path(Path(settings.DATA_DIR)), os.geteuid()),)


def private_file_findings() -> tuple[Finding, ...]:
    data_dir = Path(settings.DATA_DIR)
    files = (data_dir / "secret_key", data_dir / "first_password", database_file())
    return tuple(judge_private_file(read_path(path), os.geteuid()) for path in files)


def models_findings() -> tuple[Finding, ...]:
    return (judge_models_directory(read_path(Path(settings.MODELS_DIR))),)


def lock_findings() -> tuple[Finding, ...]:
    return (judge_lock(lock_status()),)


def read_path(path: Path) -> PathFacts:
    try:
        found = path.stat()
    except FileNotFoundError:
        return PathFacts(path=path, mode=None, writable=_may_be_made(path))
    wanted = os.W_OK | os.X_OK if stat.S_ISDIR(found.st_mode) else os.W_OK
    return PathFacts(
        path=path, mode=stat.S_IMODE(found.st_mode), owner_id=found.st_uid, writable=os.access(path, wanted)
    )


def _may_be_made(path: Path) -> bool:
    return os.access(next(folder for folder in path.parents if folder.exists()), os.W_OK | os.X_OK)


def judge_data_directory(facts: PathFacts, own_id: int) -> Finding:
    subject = "data directory"
    if facts.mode is None:
        return failed(subject, f"{facts.path} is not there.", "Run `make run` once, or mend J5A_DATA_DIR.")
    if not facts.writable:
        return failed(
            subject,
            f"The panel may not write to {facts.path}.",
            f"Run `chown -R {own_id} {shlex.quote(str(facts.path))}` as root, or set J5A_DATA_DIR.",
        )
    chmod = f"Run `chmod 700 {shlex.quote(str(facts.path))}`."
    if facts.mode & stat.S_IWOTH:
        return failed(subject, f"Everybody on this machine may write to {facts.path}.", chmod)
    if facts.mode & _OTHERS:
        return warned(subject, f"Other users may look into {facts.path} (mode {facts.mode:o}).", chmod)
    return passed(subject, f"{facts.path} is writable, and only for its owner.")


def judge_private_file(facts: PathFacts, own_id: int) -> Finding:
    """A file that lets whoever reads it into the panel."""
    subject, quoted = f"file {facts.path.name}", shlex.quote(str(facts.path))
    if facts.mode is None:
        return passed(subject, f"{facts.path} is not there, so nobody can read it.")
    if facts.mode & _OTHERS:
        sentence = f"Other users may open {facts.path} (mode {facts.mode:o}), and with it the panel."
        return failed(subject, sentence, f"Run `chmod 600 {quoted}`.")
    if facts.owner_id not in (own_id, 0):
        sentence = f"{facts.path} belongs to user id {facts.owner_id}, not to us ({own_id})."
        return failed(subject, sentence, f"Run `chown {own_id} {quoted}` as root.")
    return passed(subject, f"{facts.path} is readable by its owner alone (mode {facts.mode:o}).")


def judge_models_directory(facts: PathFacts) -> Finding:
    subject = "models directory"
    if facts.mode is None and not facts.writable:
        sentence = f"{facts.path} is not there and cannot be made, so the panel does not start."
        return failed(subject, sentence, "Set J5A_MODELS_DIR to a folder that the panel may write to.")
    if facts.mode is None:
        return passed(subject, f"{facts.path} is not there yet; the first start makes it.")
    if not facts.writable:
        return warned(
            subject,
            f"The panel may not write to {facts.path}: only weights that lie there can be used.",
            "Let it write there, or set J5A_MODELS_DIR to a folder of its own.",
        )
    return passed(subject, f"{facts.path} is writable.")


def judge_lock(reading: LockReading) -> Finding:
    subject = "lock"
    if reading.problem is not None:
        return failed(subject, f"No job can start: {reading.sentence}.", LOCK_DIR_ADVICE)
    if reading.state is LockState.MALFORMED:
        return failed(subject, f"No job can start: {reading.path}: {reading.sentence}.", LOCK_MALFORMED_ADVICE)
    if reading.unwritable is not None:
        return failed(
            subject, f"No job can start: {reading.path} cannot be taken: {reading.unwritable}.", LOCK_DIR_ADVICE
        )
    if reading.state is LockState.HUNG:
        return warned(subject, f"{reading.path}: {reading.sentence}.", "Look at the job, and stop it if it hangs.")
    if reading.is_proved_stale:
        return warned(subject, f"{reading.path}: {reading.sentence}.", "Nothing to do: the next start takes it over.")
    return passed(subject, f"{reading.path} can be trusted: {reading.sentence}.")
