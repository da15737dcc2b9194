"""Command line of the suite: `python -m bench [PART…]`. Without a part: all of them, and docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench import gate, idle, jobs, pages, preparation, three_hours
from bench.machine import machine, physical_cores
from bench.recordings import LONG_MINUTES, long_recording, sample_recording
from bench.report import Section, markdown, text, unmet
from tests.support.panel import BASE_DIR, Panel

PARTS = ("jobs", "idle", "gate", "prepare", "pages")
OUTPUT = BASE_DIR / "docs" / "benchmarks.md"


def main() -> int:
    arguments = _arguments()
    parts = tuple(arguments.parts) or PARTS
    here = machine()
    with tempfile.TemporaryDirectory(prefix="j5a-bench-") as name:
        sections = _with_panel(Path(name), parts, arguments) if set(parts) - {"pages"} else []
        if "pages" in parts:
            sections.append(pages.section(Path(name)))
    print(text(here, sections))
    if parts == PARTS or arguments.write:
        arguments.output.write_text(markdown(here, sections), encoding="utf-8")
        print(f"\nWritten to {arguments.output}")
    return 1 if unmet(sections) and arguments.strict else 0


def _with_panel(folder: Path, parts: tuple[str, ...], arguments: argparse.Namespace) -> list[Section]:
    panel = Panel(folder, J5A_ENGINE_THREADS=str(arguments.threads))
    sections: list[Section] = []
    try:
        print("Starting a panel …", flush=True)
        panel.start()
        panel.login()
        if "jobs" in parts:
            sections += _jobs(panel, folder, arguments)
        elif "idle" in parts:
            jobs.run_job(panel, sample_recording().path)
        if "idle" in parts:
            sections.append(idle.section(idle.measure(panel)))
        if "gate" in parts:
            sections.append(gate.section(panel, folder))
        if "prepare" in parts:
            sections.append(_prepare(panel, folder))
    finally:
        panel.stop()
    return sections


def _jobs(panel: Panel, folder: Path, arguments: argparse.Namespace) -> list[Section]:
    recordings = [sample_recording(), long_recording(folder, arguments.minutes)]
    comparisons = [
        jobs.compare(panel, recording, folder, runs=runs, threads=arguments.threads, nice=arguments.bare_nice)
        for recording, runs in zip(recordings, (arguments.runs, arguments.long_runs), strict=True)
    ]
    told = jobs.time_section(comparisons, threads=arguments.threads, nice=arguments.bare_nice)
    return [told, *(jobs.accuracy_section(comparison) for comparison in comparisons)]


def _prepare(panel: Panel, folder: Path) -> Section:
    print("Preparing a three-hour file …", flush=True)
    source = preparation.three_hours(folder)
    alone = preparation.measure(source, folder)
    return preparation.section(alone, three_hours.rows(three_hours.measure(panel, source, folder)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure this panel on this machine.")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=f"{', '.join(PARTS)}")
    parser.add_argument("--runs", type=int, default=5, help="rounds on the sample (default: %(default)s)")
    parser.add_argument("--long-runs", type=int, default=3, help="rounds on the long file (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=LONG_MINUTES, help="length of the long file")
    parser.add_argument("--threads", type=int, default=physical_cores(), help="threads of both sides")
    parser.add_argument("--bare-nice", type=int, default=0, help="priority of the bare process (the engine has 10)")
    parser.add_argument("--write", action="store_true", help="write the file also when only parts were run")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="default: docs/benchmarks.md")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal is not met")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
