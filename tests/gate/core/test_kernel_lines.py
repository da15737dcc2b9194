"""Lines in the kernel's own wording (from kernel_lines.txt): which are kept for an incident."""

from __future__ import annotations

from pathlib import Path

from gate.core.incidents.kernel_lines import LINES_KEPT, kernel_lines_that_matter

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
