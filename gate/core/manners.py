"""Low priority and no orphan: what a heavy process does with its first instructions.

Source: docs/protocol.md, "Low priority: nice 10, idle I/O class, raised OOM score, a thread cap".
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

NICE = 10
OOM_SCORE_ADJ = 500  # of 1000: the kernel takes the engine before the panel or the desktop
PR_SET_PDEATHSIG = 1  # linux/prctl.h
IOPRIO_WHO_PROCESS = 1  # linux/ioprio.h
IOPRIO_CLASS_IDLE_VALUE = 3 << 13  # linux/ioprio.h: class in the upper bits
SYS_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}  # the kernel's syscall tables


def end_with_parent(expected_parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends; end now if that has happened already."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != expected_parent:
        os._exit(1)


def lower_priority(pid: int = 0) -> None:
    """nice, idle I/O class and OOM score, of this process or of a child; each is a courtesy: a refusal is no error."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    number = SYS_IOPRIO_SET.get(os.uname().machine)
    if sys.platform.startswith("linux") and number is not None:
        ctypes.CDLL(None, use_errno=True).syscall(number, IOPRIO_WHO_PROCESS, pid, IOPRIO_CLASS_IDLE_VALUE)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid or 'self'}/oom_score_adj").write_text(f"{OOM_SCORE_ADJ}\n", encoding="ascii")


def cap_threads(threads: int) -> None:
    """Set the thread variables that torch's libraries read when they are imported (OpenMP, MKL, OpenBLAS, numba)."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)


def peak_bytes() -> int:
    """The largest resident size of this process so far (VmHWM); 0 where the kernel does not tell."""
    return _status_bytes("VmHWM:")


def resident_bytes() -> int:
    return _status_bytes("VmRSS:")


def _status_bytes(key: str) -> int:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    return 0
