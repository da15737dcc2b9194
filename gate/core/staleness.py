"""Judge a lock file that no kernel lock protects: is its writer proved gone? Pure; fails closed."""

from __future__ import annotations

from dataclasses import dataclass

from gate.core.identity import Machine, ProcessFacts
from gate.core.readings import LockState
from gate.core.records import LockRecord, parse_pid_line

__all__ = ["EMPTY_GRACE_SECONDS", "RELEASED_MTIME_NS", "Contents", "Judged", "judge_unlocked", "names_live"]

# We leave a released file empty and dated 1970. Whoever opens it to write changes the date.
RELEASED_MTIME_NS = 0
# `echo $$ > lock` is empty between opening and writing for microseconds; after this long nobody is
# in the middle of it (filelock grants a half-written marker the same 2 s).
EMPTY_GRACE_SECONDS = 2.0
# Two looks at the clock and a file system's own rounding (FAT: 2 s) must not make a line older than the boot.
_BOOT_MARGIN_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the lock file and the record beside it say. `record` is None when missing or malformed."""

    line: bytes
    line_mtime_ns: int
    record: LockRecord | None
    record_problem: str | None = None

    @property
    def pid(self) -> int | None:
        return parse_pid_line(self.line)

    @property
    def matching_record(self) -> LockRecord | None:
        """The record, if it was written together with this very PID line."""
        record = self.record
        if record is None or record.pid != self.pid or record.line_mtime_ns != self.line_mtime_ns:
            return None
        return record


@dataclass(frozen=True)
class Judged:
    state: LockState
    sentence: str
    proof: tuple[str, ...]


def names_live(contents: Contents, process: ProcessFacts | None) -> bool:
    """Whether the PID line names a live process, and not another one that got the holder's number."""
    if process is None or not process.alive:
        return False
    record = contents.matching_record
    recorded = record.start_ticks if record is not None else None
    return recorded is None or process.start_ticks is None or recorded == process.start_ticks


def judge_unlocked(contents: Contents, process: ProcessFacts | None, machine: Machine, *, age_seconds: float) -> Judged:
    """State of a lock whose kernel lock is free. `process`: facts about the PID in the line, if any."""
    proof = ("kernel lock: free",)
    if not contents.line.strip():
        return _judge_empty(contents, age_seconds, proof)
    if process is None:
        shown = repr(contents.line[:40])
        sentence = f"the lock file does not hold a PID but {shown}"
        return Judged(LockState.MALFORMED, sentence, (*proof, f"content: {shown}"))
    record = contents.matching_record
    if record is None:
        return _judge_bare(contents, process, machine, proof)
    return _judge_recorded(record, process, machine, proof)


def _judge_empty(contents: Contents, age_seconds: float, proof: tuple[str, ...]) -> Judged:
    if contents.line_mtime_ns == RELEASED_MTIME_NS:
        return Judged(LockState.FREE, "free", (*proof, "file: empty, as a release leaves it"))
    proof = (*proof, f"file: empty, changed {age_seconds:.1f} s ago")
    if age_seconds >= EMPTY_GRACE_SECONDS:
        return Judged(LockState.FREE, "free", proof)
    return Judged(LockState.MALFORMED, "the lock file is empty: its holder may just be writing", proof)


def _judge_bare(contents: Contents, process: ProcessFacts, machine: Machine, proof: tuple[str, ...]) -> Judged:
    """A PID line without a record of its own: an older script wrote it.

    A line dated before this boot whose PID lives is no proof that the number was given away: a machine without a
    battery for its clock starts in the past, and the clock jumps when the time arrives. So it is only said.
    """
    note = contents.record_problem or "none that belongs to this PID line"
    proof = (*proof, f"record: {note}")
    if not process.alive:
        proof = (*proof, f"PID {process.pid}: no such process")
        return Judged(LockState.STALE, f"stale: its PID {process.pid} is gone", proof)
    proof = (*proof, f"PID {process.pid}: alive")
    if machine.booted_unix is not None and contents.line_mtime_ns / 1e9 < machine.booted_unix - _BOOT_MARGIN_SECONDS:
        proof = (*proof, "PID line: dated before this machine was started, which proves nothing: clocks are set")
    return Judged(LockState.LEGACY, f"held by PID {process.pid}, an older script without kernel lock", proof)


def _judge_recorded(record: LockRecord, process: ProcessFacts, machine: Machine, proof: tuple[str, ...]) -> Judged:
    pid = record.pid
    if record.released:
        return Judged(LockState.FREE, "free", (*proof, f"record: PID {pid} let go"))
    if not machine.is_called(record.host):
        if not record.boot_id or record.boot_id != machine.boot_id:
            proof = (*proof, f"record: host {record.host}, this is {machine.host}: nothing can be proved here")
            return Judged(LockState.HELD, f"held by PID {pid} on another host, {record.host}", proof)
        # The kernel draws the boot id at random: who has the same one is this machine under its former name.
        proof = (*proof, f"boot: {record.boot_id} then and now, so host {record.host} is this machine")
    if record.boot_id and machine.boot_id and record.boot_id != machine.boot_id:
        proof = (*proof, f"boot: recorded {record.boot_id}, now {machine.boot_id}")
        return Judged(LockState.STALE, f"stale: the machine was started anew since PID {pid} took it", proof)
    if not process.alive:
        proof = (*proof, f"PID {pid}: no such process")
        return Judged(LockState.STALE, f"stale: its PID {pid} is gone", proof)
    if record.start_ticks is not None and process.start_ticks is not None:
        proof = (*proof, f"start: recorded {record.start_ticks}, now {process.start_ticks} ticks after boot")
        if record.start_ticks != process.start_ticks:
            sentence = f"stale: PID {pid} is another process now, its holder is gone"
            return Judged(LockState.REUSED, sentence, proof)
    if record.named_over_pid is not None:  # our line, written because it had the kernel lock: now it has not
        proof = (*proof, f"record: PID {pid} inherited the lock from PID {record.named_over_pid}, and let go of it")
        return Judged(LockState.STALE, f"stale: PID {pid}, which inherited it, let go of it", proof)
    proof = (*proof, f"PID {pid}: alive")
    return Judged(LockState.LEGACY, f"held by PID {pid}, alive though it let go of the kernel lock", proof)
