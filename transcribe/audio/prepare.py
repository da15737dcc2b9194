"""Prepare a file for the engine in a child process: decoded to PCM on disk, chunks planned. Light side."""

from __future__ import annotations

import json
import os
import select
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from transcribe.audio.child_process import end_child, error_output, is_tied, last_words, start_child
from transcribe.audio.chunking import Span
from transcribe.audio.errors import AudioError, Fault, audio_error
from transcribe.audio.pcm_format import BYTES_PER_SECOND
from transcribe.held import HeldFor, HeldTimes, Stretch

# Address space, not memory used: the interpreter with av maps 121 MB, pydub and buffers bring 150 MB
# (bench/audio_memory.py). Decoders of unusual formats and their tables get the rest.
DEFAULT_MEMORY_BYTES = 1 << 30
# Reading one packet and one fsync of 3 h of PCM (346 MB) on a slow USB disk (10 MB/s) take less.
SILENT_CHILD_SECONDS = 300.0
# How often a waiting caller is asked whether to go on.
ASK_EVERY_SECONDS = 0.2
# Room that must stay free on the disk beside the PCM: checkpoints, logs, the database.
SPARE_DISK_BYTES = 64 << 20


@dataclass(frozen=True)
class BrokenStretch:
    """Silence stands here for sound that could not be read; start is end where only the clock jumped."""

    start_seconds: float
    end_seconds: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class PreparedAudio:
    """16 kHz mono s16le PCM at `pcm_path`, the spans that tile it, and notes for people about how it was read."""

    pcm_path: Path
    total_samples: int
    duration_seconds: float
    spans: tuple[Span, ...]
    broken: tuple[BrokenStretch, ...]
    notes: tuple[str, ...] = ()


class Preparation:
    """One running preparation; starts with the object, ends with `wait`, an error or `kill`.

    Start it from a thread that lives at least as long (see start_child). As a context manager it is killed
    on exit unless it is done. `out_pcm` appears complete or not at all. `expected_seconds` (from the probe)
    lets a disk that is too small be refused before the first byte. With `sha256`, no other file is read.
    """

    def __init__(
        self,
        source: Path,
        out_pcm: Path,
        *,
        display_name: str,
        expected_seconds: float | None = None,
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
        sha256: str = "",
    ) -> None:
        self._out_pcm = out_pcm.absolute()
        self._display_name = display_name
        self._result: PreparedAudio | None = None
        self._unread = b""
        self._held = HeldTimes()
        self._silence = Stretch(self._held)
        self._guard = threading.Lock()  # until it is reaped its pid is nobody else's
        self.progress_seconds = 0.0
        if expected_seconds is not None:
            self._require_disk(expected_seconds)
        self._process = start_child(
            "transcribe.audio.prepare_child",
            [f"--memory-bytes={memory_bytes}", f"--sha256={sha256}", "--", str(source.absolute()), str(self._out_pcm)],
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def poll(self) -> PreparedAudio | None:
        """Return the result if it is there, None while it runs. Raises AudioError; never waits."""
        return self._hear(0.0)

    def wait(
        self,
        on_progress: Callable[[float], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> PreparedAudio:
        """Return the result; `on_progress` is told the seconds of sound decoded so far.

        Raises AudioError; PreparationStopped when `should_stop` said so.
        """
        told = -1.0
        while (result := self._hear(ASK_EVERY_SECONDS)) is None:
            if should_stop is not None and should_stop():
                raise self._end_with(Fault.STOPPED)
            if on_progress is not None and self.progress_seconds > told:
                told = self.progress_seconds
                on_progress(told)
        return result

    def hold(self, what: HeldFor) -> None:
        """Make it stand still, which is no silence of its own. From any thread, as `let_go`."""
        if is_tied(self._process.pid) and self._signal(signal.SIGSTOP):
            self._held.begin(what)

    def let_go(self) -> None:
        self._signal(signal.SIGCONT)
        self._held.end()

    def _signal(self, number: signal.Signals) -> bool:
        if not self._guard.acquire(blocking=False):
            return False  # it is being ended, which may take as long as a dead disk takes
        try:
            if self._process.returncode is not None:
                return False
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        finally:
            self._guard.release()
        return True

    def _end_child(self) -> None:
        with self._guard:
            end_child(self._process)

    def kill(self) -> None:
        """End the child if it runs, remove its unfinished file; a finished one stays. Safe to call again."""
        self._end_child()
        part_path(self._out_pcm).unlink(missing_ok=True)

    def _hear(self, timeout_seconds: float) -> PreparedAudio | None:
        if self._result is not None:
            return self._result
        received = self._receive(timeout_seconds)
        if received is None:
            if self._silence.seconds() > SILENT_CHILD_SECONDS:
                raise self._end_with(Fault.FAILED, f"no sign of life for {SILENT_CHILD_SECONDS:.0f} s")
            return None
        self._silence = Stretch(self._held)
        if not received:
            raise self._ended_without_result()
        *lines, self._unread = (self._unread + received).split(b"\n")
        for line in lines:
            self._take(json.loads(line))
        return self._result

    def _receive(self, timeout_seconds: float) -> bytes | None:
        """What the child wrote; b"" when it closed its end, None when nothing came in time."""
        stdout = self._process.stdout
        if stdout is None or stdout.closed:
            return b""
        poller = select.poll()
        poller.register(stdout, select.POLLIN | select.POLLHUP)
        return os.read(stdout.fileno(), 1 << 16) if poller.poll(timeout_seconds * 1000) else None

    def _take(self, event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "progress":
                self.progress_seconds = event["seconds"]
            case "failed":
                raise self._end_with(Fault(event["fault"]), event["detail"])
            case "prepared":
                self._result = self._read_result(event)
                self._end_child()  # nothing is left to it but to end, and it may be held

    def _read_result(self, event: Mapping[str, Any]) -> PreparedAudio:
        return PreparedAudio(
            pcm_path=self._out_pcm,
            total_samples=event["total_samples"],
            duration_seconds=event["duration_seconds"],
            spans=tuple(Span(start, end) for start, end in event["spans"]),
            broken=tuple(BrokenStretch(start, end, reason) for start, end, reason in event["broken"]),
            notes=tuple(event["notes"]),
        )

    def _ended_without_result(self) -> AudioError:
        # Its stdout is at its end, so it is ending; what it left on stderr is at most a traceback.
        with self._guard:
            stderr = error_output(self._process)
        status = self._process.returncode
        detail = f"ended by signal {-status}" if status < 0 else last_words(stderr) or f"exit status {status}"
        return self._end_with(Fault.FAILED, detail)

    def _end_with(self, fault: Fault, detail: str = "") -> AudioError:
        self.kill()
        return audio_error(fault, self._display_name, detail)

    def _require_disk(self, expected_seconds: float) -> None:
        status = os.statvfs(self._out_pcm.parent)
        free_bytes = status.f_bavail * status.f_frsize
        needed_bytes = int(expected_seconds * BYTES_PER_SECOND) + SPARE_DISK_BYTES
        if free_bytes < needed_bytes:
            detail = f"{needed_bytes / 1e6:.0f} MB needed, {free_bytes / 1e6:.0f} MB free"
            raise audio_error(Fault.DISK_FULL, self._display_name, detail)


def part_path(out_pcm: Path) -> Path:
    """The unfinished file: one name per result, so that what a power cut leaves is overwritten."""
    return out_pcm.with_name(f"{out_pcm.name}.part")


__all__ = ["BrokenStretch", "Preparation", "PreparedAudio", "part_path"]
