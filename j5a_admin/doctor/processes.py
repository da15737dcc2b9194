"""Other programs that matter: a foreign Whisper, this panel's own processes, and other panels on the machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from django.conf import settings

from gate.core.identity import descriptor_holders
from gate.core.processes import ProcessRow
from gate.core.proctable import ArgvCache, read_process_table
from gate.core.readings import ForeignProcess, ProcessReading
from j5a_admin.doctor.findings import Finding, failed, passed, warned

__all__ = [
    "PanelProcess",
    "PanelRole",
    "judge_foreign",
    "judge_other_panels",
    "judge_own_panel",
    "panel_findings",
    "panel_processes",
    "panel_role",
    "worker_trees",
]


class PanelRole(StrEnum):
    UP = "up"
    WORKER = "worker"
    SAMPLER = "sampler"
    WEB = "web"


@dataclass(frozen=True, kw_only=True)
class PanelProcess:
    """A process of this panel or of another. The folders are None when it belongs to a user we may not look at."""

    pid: int
    ppid: int
    role: PanelRole
    data_dir: Path | None
    lock_dir: Path | None


def panel_findings(panels: Sequence[PanelProcess]) -> tuple[Finding, ...]:
    data_dir, lock_dir = Path(settings.DATA_DIR).resolve(), Path(settings.GATE_LOCK_PATH).parent.resolve()
    workers = worker_trees(panels)
    own = tuple(worker for worker in workers if worker.data_dir == data_dir)
    return (
        judge_own_panel(_lock_holders(data_dir / "panel.lock"), tuple(worker.pid for worker in own)),
        *judge_other_panels(workers, data_dir=data_dir, lock_dir=lock_dir),
    )


def judge_foreign(reading: ProcessReading) -> tuple[Finding, ...]:
    """Whisper processes that are not ours, as the gate's third check sees them."""
    subject = "foreign Whisper"
    found = [
        warned(
            subject,
            f"{process.what}{_whose(process)} runs (PID {process.pid}): {process.command}",
            f"No job starts until it has ended. Wait for it, or end it: `kill {process.pid}`.",
        )
        for process in reading.foreign
    ]
    if reading.problem is not None:
        sentence = f"No job can start: the process table could not be read ({reading.problem})."
        found.append(failed(subject, sentence, "Make /proc readable for this user."))
    return tuple(found) or (passed(subject, "No other Whisper process runs."),)


def _whose(process: ForeignProcess) -> str:
    return "" if process.user is None else f" of user {process.user}"


def judge_own_panel(up_pids: Sequence[int], worker_pids: Sequence[int]) -> Finding:
    """`up_pids`: who holds the panel's lock; `worker_pids`: the roots of the worker process trees on our data."""
    subject = "panel"
    if len(worker_pids) > 1:
        return warned(
            subject,
            f"{len(worker_pids)} workers run on this data directory (PIDs {_listed(worker_pids)}): one works, "
            "the others wait until it is gone.",
            f"End those that `manage.py up` did not start, with `kill PID`; it runs as PID {_listed(up_pids) or '–'}.",
        )
    if up_pids and not worker_pids:
        return warned(
            subject,
            f"The panel runs (PID {_listed(up_pids)}) without its worker, so no job starts.",
            "It is started anew by itself; if this stays, look at the panel's output for the reason.",
        )
    if not up_pids and worker_pids:
        advice = "Nothing to do if that is meant. `make run` starts the panel."
        return passed(subject, f"A worker runs by itself (PID {_listed(worker_pids)}), without the panel.", advice)
    if not up_pids:
        return passed(subject, "It does not run on this data directory now.", "`make run` starts it.")
    return passed(subject, f"It runs (PID {_listed(up_pids)}), with one worker (PID {_listed(worker_pids)}).")


def judge_other_panels(workers: Sequence[PanelProcess], *, data_dir: Path, lock_dir: Path) -> tuple[Finding, ...]:
    """Workers on other data. With another lock than ours nothing keeps two heavy processes from running at once."""
    subject = "other panels"
    found = []
    for worker in workers:
        where = f"PID {worker.pid}, data in {worker.data_dir}"
        if worker.lock_dir is None:
            sentence = f"Another user's panel runs (PID {worker.pid}); which lock it uses cannot be seen."
            found.append(warned(subject, sentence, "Run one panel on this machine, as one user."))
        elif worker.lock_dir != lock_dir:
            sentence = f"A panel with another lock runs ({where}, lock in {worker.lock_dir}): both may start a model."
            advice = f"Stop it, or give it our lock: J5A_LOCK_DIR={lock_dir}."
            found.append(warned(subject, sentence, advice))
        elif worker.data_dir != data_dir:
            found.append(passed(subject, f"Another panel runs ({where}), with the same lock: they take turns."))
    return tuple(found) or (passed(subject, "No other panel runs on this machine."),)


# ── finding the panels ───────────────────────────────────────────────────────────────────────────
def panel_processes() -> tuple[PanelProcess, ...]:
    """Every process of a panel that is visible here."""
    seen = (_as_panel(row, role) for row in read_process_table(ArgvCache()) if (role := panel_role(row.argv or ())))
    return tuple(process for process in seen if process is not None)


def panel_role(argv: Sequence[str]) -> PanelRole | None:
    """What a command line would be, if its manage.py is a panel's."""
    if not argv or not PurePosixPath(argv[0]).name.startswith("python"):
        return None
    if "gunicorn" in argv and "j5a_admin.wsgi:application" in argv:
        return PanelRole.WEB
    at = next((at for at, part in enumerate(argv) if PurePosixPath(part).name == "manage.py"), len(argv))
    word = argv[at + 1] if at + 1 < len(argv) else ""
    return PanelRole(word) if word in (PanelRole.UP, PanelRole.WORKER, PanelRole.SAMPLER) else None


def worker_trees(panels: Sequence[PanelProcess]) -> tuple[PanelProcess, ...]:
    """The first process of each cluster: its others have the same command line, and it for an ancestor."""
    workers = [process for process in panels if process.role is PanelRole.WORKER]
    pids = {process.pid for process in workers}
    return tuple(process for process in workers if process.ppid not in pids)


def folders_of(environment: Mapping[str, str] | None, base: Path, cwd: Path) -> tuple[Path | None, Path | None]:
    """Data and lock directory that a panel in `base` uses, as its settings would read them."""
    if environment is None:
        return None, None
    data = environment.get("J5A_DATA_DIR", "").strip() or str(base / "var")
    lock = environment.get("J5A_LOCK_DIR", "").strip() or "/tmp/j5a_locks"  # noqa: S108 - the default of the settings
    return (cwd / Path(data).expanduser()).resolve(), (cwd / Path(lock).expanduser()).resolve()


def _as_panel(row: ProcessRow, role: PanelRole) -> PanelProcess | None:
    """None for the manage.py of another project."""
    cwd = Path("/")
    with suppress(OSError):  # of another user: then only an absolute manage.py says where it is
        cwd = Path(f"/proc/{row.pid}/cwd").readlink()
    base = cwd / _program_folder(row.argv or ())
    if role is not PanelRole.WEB and not os.path.isdir(base / "j5a_admin"):  # noqa: PTH112 - False when not ours to see
        return None
    data_dir, lock_dir = folders_of(_environment(row.pid), base, cwd)
    return PanelProcess(pid=row.pid, ppid=row.ppid, role=role, data_dir=data_dir, lock_dir=lock_dir)


def _program_folder(argv: Sequence[str]) -> Path:
    for part in argv:
        if part.startswith("--chdir="):
            return Path(part.removeprefix("--chdir="))
        if PurePosixPath(part).name == "manage.py":
            return Path(part).parent
    return Path()


def _environment(pid: int) -> dict[str, str] | None:
    """What the process was started with; None when that is not ours to see."""
    try:
        data = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    pairs = (entry.partition("=") for entry in data.decode(errors="replace").split("\0"))
    return {name: value for name, _, value in pairs}


def _lock_holders(path: Path) -> tuple[int, ...]:
    """Read from /proc: to try the lock would refuse a panel that starts at this moment."""
    try:
        return descriptor_holders(path.stat())
    except FileNotFoundError:
        return ()


def _listed(pids: Sequence[int]) -> str:
    return ", ".join(map(str, pids))
