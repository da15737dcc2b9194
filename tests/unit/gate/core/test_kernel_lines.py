"""Lines in the kernel's own wording (from kernel_lines.txt): which are kept for an incident."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gate.core.incidents.kernel_lines import LINES_KEPT, kernel_lines_since, kernel_lines_that_matter

LINES = (Path(__file__).with_name("kernel_lines.txt")).read_text(encoding="utf-8").splitlines()


def test_it_keeps_memory_heat_hangs_panic_sleep_and_disk_and_nothing_else() -> None:
    left_out = [line for line in LINES if line not in kernel_lines_that_matter(LINES)]
    words = ("Command line", "Thermal monitoring", "NMI watchdog", "thermal_sys", "mounted", "new full-speed")
    assert len(left_out) == len(words)
    for line, word in zip(left_out, words, strict=True):
        assert word in line


def test_it_keeps_the_last_ones() -> None:
    many = [f"{number} Out of memory: Killed process {number}" for number in range(1000)]
    assert kernel_lines_that_matter(many) == tuple(many[-LINES_KEPT:])


def test_a_long_line_is_cut() -> None:
    (line,) = kernel_lines_that_matter(["Out of memory " + "x" * 10_000])
    assert len(line) == 300


def written(at: float, text: str = "Out of memory: Killed process 7") -> str:
    return f"[{time.ctime(at)}] {text}"


def test_what_was_written_before_is_left_out() -> None:
    since = 1_760_000_000.0
    lines = [written(since - 10_000), written(since - 1), written(since), written(since + 5), " Call Trace:", "[x] a"]
    assert kernel_lines_since(lines, since) == lines[2:]


@pytest.mark.parametrize("stamp", ["[Wed Foo 99 13:00:11 2026] a", "[Wed Nov 25 25:61:61 2026] a", ""])
def test_a_line_without_a_time_that_can_be_read_is_kept(stamp: str) -> None:
    assert kernel_lines_since([stamp], 2e9) == [stamp]
