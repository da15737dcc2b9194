"""Child process: decode a whole file to 16 kHz mono PCM and plan its chunks.

    python -m transcribe.audio.prepare_child SOURCE OUT_PCM [--parent=PID] [--memory-bytes=N] [--sha256=HEX]

Writes JSON lines: {"event": "progress", "seconds"}, at the end {"event": "prepared", "total_samples",
"duration_seconds", "spans": [[start_sample, end_sample]], "broken": [[start_s, end_s, why]], "notes": [text]} or
{"event": "failed", "fault", "detail"}. With --sha256, nothing but the file that has it is read. OUT_PCM appears
by rename, complete, or not at all.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe.audio.child_process import ChildLimits, contain, exit_if_orphaned
from transcribe.audio.errors import Fault, SourceFault
from transcribe.audio.prepare import DEFAULT_MEMORY_BYTES, part_path

if TYPE_CHECKING:
    from transcribe.audio.assembly import Assembly
    from transcribe.audio.levels import Treatment
    from transcribe.audio.recording import Recording

PROGRESS_EVERY_SECONDS = 0.2
# Below everything a person waits for (protocol, "Low priority").
NICE = 10
DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="prepare_child")
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parent", type=int, default=os.getppid())
    parser.add_argument("--memory-bytes", type=int, default=DEFAULT_MEMORY_BYTES)
    parser.add_argument("--sha256", default="")
    options = parser.parse_args(arguments)
    contain(
        ChildLimits(cpu_seconds=None, memory_bytes=options.memory_bytes, nice=NICE),
        options.parent,
    )
    _say(_prepare_and_report(options.source, options.out, options.sha256, options.parent))
    return 0


def _prepare_and_report(source: Path, out: Path, sha256: str, parent_pid: int) -> dict[str, object]:
    """Prepare; whatever goes wrong, leave no file and say what it was."""
    part = part_path(out)
    try:
        return _prepare(source, out, part, sha256, Progress(parent_pid))
    except SourceFault as error:
        return _failed(error.fault, error.detail)
    except OSError as error:
        fault = Fault.DISK_FULL if error.errno in DISK_FULL_ERRORS else Fault.FAILED
        return _failed(fault, error.strerror or type(error).__name__)
    except MemoryError:
        return _failed(Fault.TOO_DEMANDING, "memory")
    except Exception as error:  # the boundary of the process: its only way to say so is this line
        return _failed(Fault.FAILED, f"{type(error).__name__}: {error}")
    finally:
        part.unlink(missing_ok=True)


def _prepare(source: Path, out: Path, part: Path, sha256: str, progress: Progress) -> dict[str, object]:
    from transcribe.audio.chunking import plan_spans  # after contain(): loads av
    from transcribe.audio.quiet import quiet_point
    from transcribe.audio.recording import open_recording

    with open_recording(source, on_block=lambda: progress.at(0.0), sha256=sha256) as recording:
        assembly, notes = _decode(recording, part, progress)
        recording.require_unchanged()
    spans = plan_spans(assembly.written_samples, lambda mark: quiet_point(part, mark))
    part.replace(out)
    _sync_directory(out.parent)
    return {
        "event": "prepared",
        "total_samples": assembly.written_samples,
        "duration_seconds": assembly.end_seconds,
        "spans": [[span.start_sample, span.end_sample] for span in spans],
        "broken": [[broken.start_seconds, broken.end_seconds, broken.reason] for broken in assembly.broken],
        "notes": notes,
    }


def _decode(recording: Recording, part: Path, progress: Progress) -> tuple[Assembly, list[str]]:
    """Decode the file; once more where that shows that 16 bit mono would lose what is in it."""
    from transcribe.audio.levels import Treatment

    treatment = Treatment()
    assembly = _decode_with(treatment, recording, part, progress)
    treatment = assembly.survey.treatment
    if treatment != Treatment():
        assembly = _decode_with(treatment, recording, part, progress)
    return assembly, [*recording.notes, *treatment.notes]


def _decode_with(treatment: Treatment, recording: Recording, part: Path, progress: Progress) -> Assembly:
    from transcribe.audio.assembly import Assembly
    from transcribe.audio.source import require_bearable_length

    with part.open("wb") as out:
        assembly = Assembly(out, treatment)
        for source in recording.parts():
            for _ in assembly.add_all(source):
                require_bearable_length(assembly.end_seconds)
                progress.at(assembly.end_seconds)
        assembly.finish()
        if assembly.heard_samples == 0 or assembly.written_samples == 0:
            raise SourceFault(Fault.NOTHING_DECODABLE)
        out.flush()
        os.fsync(out.fileno())
    return assembly


class Progress:
    """Tells the parent how far it is, at most five times a second; never waits for it to read."""

    def __init__(self, parent_pid: int) -> None:
        self._parent_pid = parent_pid
        self._last = time.monotonic()

    def at(self, seconds: float) -> None:
        now = time.monotonic()
        if now - self._last < PROGRESS_EVERY_SECONDS:
            return
        self._last = now
        exit_if_orphaned(self._parent_pid)
        _say({"event": "progress", "seconds": round(seconds, 2)}, may_drop=True)


def _say(event: dict[str, object], *, may_drop: bool = False) -> None:
    """Write one line.

    One that may be dropped is dropped whole when the pipe is full: shorter than PIPE_BUF, it is never
    split (pipe(7)).
    """
    os.set_blocking(sys.stdout.fileno(), not may_drop)
    line = memoryview(json.dumps(event).encode() + b"\n")
    while line:
        try:
            line = line[os.write(sys.stdout.fileno(), line) :]
        except BlockingIOError:
            return


def _failed(fault: Fault, detail: str) -> dict[str, object]:
    return {"event": "failed", "fault": fault.value, "detail": detail}


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
