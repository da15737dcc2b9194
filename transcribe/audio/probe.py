"""Look at a file from outside, in a child process with limits on CPU, memory and time. Light side."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transcribe.audio.child_process import end_child, last_words, start_child
from transcribe.audio.errors import AudioError, Fault, audio_error


@dataclass(frozen=True, kw_only=True)
class ProbeLimits:
    """What one probe may use.

    Measured here: a 3 h mp3 takes 0.5 s of CPU; the interpreter with av maps 121 MB of address space, a 4K
    video 170 MB. The rest is room for slow machines and large containers.
    """

    cpu_seconds: int = 120
    wall_seconds: float = 240.0
    memory_bytes: int = 1 << 30


@dataclass(frozen=True, kw_only=True)
class AudioInfo:
    """What is in a file. The duration is measured, not the header's claim; `warnings` are for people.

    `clock_start_seconds`: what the file's own clock says where the recording begins.
    """

    duration_seconds: float
    codec: str
    container: str
    sample_rate: int
    channels: int
    has_video: bool
    warnings: tuple[str, ...]
    clock_start_seconds: float = 0.0


DEFAULT_LIMITS = ProbeLimits()


def probe_file(path: Path, *, display_name: str, limits: ProbeLimits = DEFAULT_LIMITS) -> AudioInfo:
    """Return what sound is in the file. Raises AudioRefused (unusable) or FileUnreadable.

    `display_name` is the user's name for it, the only one that appears in messages. Blocks for the child's
    run.
    """
    process = start_child(
        "transcribe.audio.probe_child",
        [
            f"--cpu-seconds={limits.cpu_seconds}",
            f"--memory-bytes={limits.memory_bytes}",
            "--",
            str(path.absolute()),
        ],
    )
    try:
        answer, stderr = process.communicate(timeout=limits.wall_seconds)
    except subprocess.TimeoutExpired:
        detail = f"stopped after {limits.wall_seconds:.0f} s"
        raise audio_error(Fault.TOO_DEMANDING, display_name, detail) from None
    finally:
        end_child(process)
    if not answer.endswith(b"\n"):
        raise _error_of_death(process.returncode, last_words(stderr), display_name)
    return _info(json.loads(answer), display_name)


def _error_of_death(status: int, words: str, display_name: str) -> AudioError:
    """Why a child ended without its line: a limit, a crash inside a decoder, or a fault of our own."""
    # The CPU limit's soft and hard value are one: the kernel sends SIGKILL or SIGXCPU.
    if -status in (signal.SIGXCPU, signal.SIGKILL):
        return audio_error(Fault.TOO_DEMANDING, display_name, "processor time")
    if status < 0:
        return audio_error(Fault.NOTHING_DECODABLE, display_name, "the reader broke down over it")
    return audio_error(Fault.FAILED, display_name, words or f"exit status {status}")


def _info(answer: Mapping[str, Any], display_name: str) -> AudioInfo:
    if "fault" in answer:
        raise audio_error(Fault(answer["fault"]), display_name, answer["detail"])
    return AudioInfo(**{**answer, "warnings": tuple(answer["warnings"])})


__all__ = ["DEFAULT_LIMITS", "AudioInfo", "ProbeLimits", "probe_file"]
