"""Child processes that read files from outside: how they are started, bounded and ended.

The parent side (`start_child`, `end_child`) is light; `contain` is the first thing a child calls, before it
imports anything that reads media. No preexec_fn: it is not safe in a process with threads (subprocess
documentation).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parents[2]
# linux/prctl.h
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
TIED_NAME = "j5a-decoder"  # at most 15 bytes
# What a child may know of our environment: no secret of the web process reaches a decoder.
PASSED_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "TMPDIR", "TZ")
# Enough for the file, its temporary copy and Python's own; a decoder needs no more.
MAX_OPEN_FILES = 64
MAX_LAST_WORDS_CHARACTERS = 300
ENDING_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class ChildLimits:
    """Hard limits of one child; None means no limit. `nice`: it is at least as nice as that."""

    cpu_seconds: int | None
    memory_bytes: int
    file_bytes: int | None = None
    nice: int = 0


def start_child(module: str, arguments: list[str]) -> subprocess.Popen[bytes]:
    """Start `python -m module arguments` in its own session, stdin closed, pipes for stdout and stderr.

    The child is told our pid so that it can end with us. The kernel's parent-death signal follows the
    *thread* that starts the child: call this from a thread that outlives the child's work.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, f"--parent={os.getpid()}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=PROJECT_DIR,
        env={k: os.environ[k] for k in PASSED_ENVIRONMENT if k in os.environ} | {"PYTHONUTF8": "1"},
        start_new_session=True,
        close_fds=True,
    )


def end_child(process: subprocess.Popen[bytes]) -> None:
    """Kill the child's whole group, reap it and close its pipes. Safe to call again."""
    if process.poll() is None:
        # Its own session makes its pid its group's id.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def error_output(process: subprocess.Popen[bytes]) -> bytes:
    """What a child left on stderr whose stdout is at its end: it is about to be gone, and is ended when it is not."""
    try:
        return process.communicate(timeout=ENDING_SECONDS)[1]
    except subprocess.TimeoutExpired:
        return b""
    finally:
        end_child(process)


def last_words(stderr: bytes) -> str:
    """The last line a child left, which of a traceback is the error itself."""
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1][:MAX_LAST_WORDS_CHARACTERS] if lines else ""


def contain(limits: ChildLimits, parent_pid: int) -> None:
    """Bound this process and tie its life to its parent's. Called by a child before anything else."""
    die_with_parent(parent_pid)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    if limits.cpu_seconds is not None:
        _limit(resource.RLIMIT_CPU, limits.cpu_seconds)
    if limits.file_bytes is not None:
        _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    os.setpriority(os.PRIO_PROCESS, 0, max(limits.nice, os.getpriority(os.PRIO_PROCESS, 0)))


def _limit(kind: int, value: int) -> None:
    """Lower soft and hard limit, never above the hard limit already in force."""
    _, hard = resource.getrlimit(kind)
    bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bounded, bounded))


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent ends; end now if it already has. Its name tells."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_SET_NAME, TIED_NAME.encode(), 0, 0, 0)
    exit_if_orphaned(parent_pid)


def is_tied(pid: int) -> bool:
    """Whether this child ends with its parent. One that is stopped before it does would stay for ever."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == TIED_NAME
    except OSError:
        return sys.platform != "linux"


def exit_if_orphaned(parent_pid: int) -> None:
    """Leave at once when the parent is gone: covers the moment before prctl, and systems without it."""
    if os.getppid() != parent_pid:
        os._exit(os.EX_UNAVAILABLE)


__all__ = [
    "ChildLimits",
    "contain",
    "die_with_parent",
    "end_child",
    "error_output",
    "exit_if_orphaned",
    "is_tied",
    "last_words",
    "start_child",
]
