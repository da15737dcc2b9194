"""The gate: an evaluation among 500 processes, the sampler at rest, `gate check` against the shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.report import Row, Section
from gate.core.evaluate import evaluate
from gate.core.hysteresis import Latch
from gate.core.policy import GatePolicy
from gate.core.requirement import requirement_for_model
from gate.core.sensors import SensorMemory, take_snapshot
from tests.support.panel import BASE_DIR, Panel
from tools.demo_model.scoring import percentile

MB = 1_000_000
PROCESSES = 500
EVALUATIONS = 200
EVALUATION_LIMIT_MS = 20.0
SAMPLER_SECONDS = 60.0
SAMPLER_LIMIT_PERCENT, SAMPLER_LIMIT_MB = 1.0, 40.0
CHECKS = 10
CHECK_LIMIT_RATIO = 3.0
# What the older gate asked the shell for. `sensors` only where it is installed.
SHELL = "free -m; (command -v sensors >/dev/null && sensors); ps aux | grep -c '[w]hisper'; true"


def section(panel: Panel, folder: Path) -> Section:
    evaluations = _evaluations(folder)
    sampler = psutil.Process(panel.child("sampler").pid)
    cpu_percent, unique_bytes = _sampler(sampler)
    shell_seconds, check_seconds = _commands(panel)
    p95_ms = 1000 * percentile(evaluations, 0.95)
    ratio = check_seconds / shell_seconds
    unique_mb = unique_bytes / MB
    return Section(
        title="The gate",
        how=(
            f"One evaluation is all that the five checks read, and the verdict: {EVALUATIONS} times in one process, "
            f"while {PROCESSES} others sleep. The sampler was watched for {SAMPLER_SECONDS:g} s in the running panel. "
            f"`gate check` and the shell's own commands ran by turns, {CHECKS} times each (medians)."
        ),
        rows=[
            Row(what="one evaluation, median", measured=f"{1000 * percentile(evaluations, 0.5):.1f} ms"),
            Row(
                what="one evaluation, 95th percentile", measured=f"{p95_ms:.1f} ms",
                goal=f"≤ {EVALUATION_LIMIT_MS:g} ms", met=p95_ms <= EVALUATION_LIMIT_MS,
            ),
            Row(
                what="sampler, share of one core", measured=f"{cpu_percent:.2f} %",
                goal=f"≤ {SAMPLER_LIMIT_PERCENT:g} %", met=cpu_percent <= SAMPLER_LIMIT_PERCENT,
            ),
            Row(
                what="sampler, unique memory", measured=f"{unique_mb:.1f} MB",
                goal=f"≤ {SAMPLER_LIMIT_MB:g} MB", met=unique_mb <= SAMPLER_LIMIT_MB,
            ),
            Row(what="`free; sensors; ps aux | grep`", measured=f"{1000 * shell_seconds:.0f} ms"),
            Row(
                what="`manage.py gate check`", measured=f"{1000 * check_seconds:.0f} ms, {ratio:.1f} × the shell",
                goal=f"≤ {CHECK_LIMIT_RATIO:g} ×", met=ratio <= CHECK_LIMIT_RATIO,
            ),
        ],
        notes=[
            "`gate check` is a Python program that opens the panel's database, because every verdict is kept: Python, "
            "Django and the settings take most of its time, the checks themselves a few milliseconds. "
            "A script that asks often should use `gate wait`, which starts once.",
        ],
    )  # fmt: skip


def _evaluations(folder: Path) -> list[float]:
    """Seconds of each."""
    known, policy, requirement = SensorMemory(), GatePolicy(), requirement_for_model("large-v3")
    seconds = []
    with _sleepers():
        for _ in range(EVALUATIONS):
            begun = time.perf_counter()
            seen = take_snapshot(policy, folder / "bench.lock", known=known, own_pids=frozenset({os.getpid()}))
            evaluate(seen, policy, requirement, Latch())
            seconds.append(time.perf_counter() - begun)
            time.sleep(0.01)
    return seconds


@contextmanager
def _sleepers() -> Iterator[None]:
    processes = [subprocess.Popen(["sleep", "600"]) for _ in range(PROCESSES)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()


def _sampler(process: psutil.Process) -> tuple[float, int]:
    """Share of one core in per cent, and unique bytes."""
    before, begun = process.cpu_times(), time.monotonic()
    time.sleep(SAMPLER_SECONDS)
    after, seconds = process.cpu_times(), time.monotonic() - begun
    used = (after.user + after.system) - (before.user + before.system)
    return 100 * used / seconds, int(process.memory_full_info().uss)


def _commands(panel: Panel) -> tuple[float, float]:
    """Medians in seconds: the shell's commands, and ours."""
    bash = shutil.which("bash") or "/bin/sh"
    ours = [sys.executable, str(BASE_DIR / "manage.py"), "gate", "check", "--model", "tiny"]
    shell: list[float] = []
    check: list[float] = []
    for _ in range(CHECKS):
        shell.append(_time([bash, "-c", SHELL], dict(os.environ)))
        check.append(_time(ours, panel.env))
    return percentile(shell, 0.5), percentile(check, 0.5)


def _time(command: list[str], environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, env=environment, cwd=BASE_DIR, capture_output=True, check=False)
    return time.perf_counter() - begun
