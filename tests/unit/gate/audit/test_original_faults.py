"""The faults of the older scripts, as far as a file shows them: told here in our own words and code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

SHELL_FAULTS = {
    # Short recordings went straight to Whisper, before the gate was asked.
    "short audio goes past the gate": (
        """
        MAX_PARALLEL=1
        source ops/resource_safety_gate.sh
        seconds=$(ffprobe -show_entries format=duration "$1" | cut -d. -f1)
        if [ "$seconds" -lt 900 ]; then
            whisper "$@"
            exit 0
        fi
        acquire_whisper_lock || exit 1
        for chunk in chunks/*.mp3; do
            whisper "$chunk" --output_dir out
        done
        """,
        {(6, "J5A001")},
    ),
    # Finished PIDs stayed in the list and were counted down again, so the limit of one let four run.
    "a counter in place of one after another": (
        """
        source ops/resource_safety_gate.sh
        MAX_PARALLEL=1
        acquire_whisper_lock || exit 1
        active=0
        pids=()
        for chunk in chunks/*.mp3; do
            while [ "$active" -ge "$MAX_PARALLEL" ]; do
                for pid in "${pids[@]}"; do
                    kill -0 "$pid" 2>/dev/null || active=$((active - 1))
                done
                sleep 5
            done
            whisper "$chunk" --model tiny > "$chunk.log" 2>&1 &
            pids+=($!)
            active=$((active + 1))
        done
        wait
        """,
        {(14, "J5A003")},
    ),
    # Four, and after the freeze two, side by side.
    "hard-coded parallelism": (
        """
        MAX_PARALLEL=4
        transcribe_chunk() {
            local id=$1
            nice whisper "chunk_$id.mp3" --model large-v3 > "chunk_$id.log" 2>&1
        }
        for id in $(seq 0 12); do
            transcribe_chunk "$id" &
            while [ "$(jobs -r | wc -l)" -ge "$MAX_PARALLEL" ]; do sleep 10; done
        done
        wait
        """,
        {(2, "J5A002"), (5, "J5A001"), (8, "J5A003")},
    ),
    # The number of chunks side by side was worked out from the free memory.
    "a computed limit": (
        """
        free_gb=$(free -g | awk '/Mem/ {print $7}')
        MAX_PARALLEL=$((free_gb / 3))
        """,
        {(3, "J5A002")},
    ),
    # A check, even a mere look, deleted a lock that it took for stale.
    "a check that removes the lock": (
        """
        LOCKFILE_DIR=/tmp/j5a_locks
        WHISPER_LOCKFILE="${LOCKFILE_DIR}/whisper_large.lock"
        check_lock() {
            local pid
            pid=$(cat "$WHISPER_LOCKFILE")
            if ps -p "$pid" > /dev/null; then return 1; fi
            rm -f "$WHISPER_LOCKFILE"
        }
        check_lock
        """,
        {(8, "J5A005")},
    ),
    # What the emergency page told people to type.
    "the emergency page": (
        """
        rm -f /tmp/j5a_locks/whisper_large.lock
        pkill -9 -f "whisper.*large"
        """,
        {(2, "J5A005"), (3, "J5A004")},
    ),
    # Chained episodes started Whisper by hand and kept its PID in a file of their own.
    "nohup and a PID file": (
        """
        nohup whisper episode.mp3 --model large-v3 --output_dir out > out/log 2>&1 &
        echo $! > out/whisper.pid
        while ps -p "$(cat out/whisper.pid)" > /dev/null; do sleep 120; done
        """,
        {(2, "J5A001"), (2, "J5A003")},
    ),
    # A trap of their own took the place of the gate's; the lock outlived the script, so they removed it by hand.
    "a trap that removes the lock": (
        """
        source ops/resource_safety_gate.sh
        acquire_whisper_lock || exit 1
        trap 'rm -rf work; rm -f "$WHISPER_LOCKFILE"' EXIT
        whisper a.mp3
        """,
        {(4, "J5A005")},
    ),
    # The gate's answer was printed and not obeyed.
    "an answer that is not obeyed": (
        """
        source ops/resource_safety_gate.sh
        if ! acquire_whisper_lock; then
            echo "Safety gate blocked execution"
        fi
        whisper a.mp3 --model large-v3
        """,
        {(6, "J5A001")},
    ),
}

PYTHON_FAULTS = {
    # The queue's worker and the podcast pipeline started large-v3 on the whole file, with a timeout and no gate.
    "the worker without the gate": (
        """
        import subprocess

        class Worker:
            def process(self, job):
                command = ["whisper", str(job.path), "--model", "large", "--output_format", "all"]
                try:
                    done = subprocess.run(command, capture_output=True, text=True, timeout=7200)
                except subprocess.TimeoutExpired:
                    return {"success": False}
                return {"success": done.returncode == 0}
        """,
        {(8, "J5A001")},
    ),
    # 72 chunks of a 12-hour book were kept in memory, and 17 hours of work went with the process.
    "seventeen hours in memory": (
        """
        import json
        import whisper

        def transcribe_book(chunks, out):
            model = whisper.load_model("large-v3")
            book = []
            for number, chunk in enumerate(chunks):
                print(f"chunk {number} of {len(chunks)}")
                result = model.transcribe(str(chunk))
                book.append({"chunk": number, "text": result["text"]})
            with open(out, "w") as file:
                json.dump(book, file)
        """,
        {(6, "J5A001"), (11, "J5A006")},
    ),
    # The overnight queue ran two tasks side by side by default, also after the freeze.
    "two tasks by default": (
        """
        import subprocess
        from concurrent.futures import ThreadPoolExecutor

        class Queue:
            def __init__(self, tasks, at_once=2):
                self.tasks, self.at_once = tasks, at_once

            def run_one(self, task):
                subprocess.run(["python3", "faster_whisper_cli.py", task.path])

            def run(self):
                with ThreadPoolExecutor(max_workers=self.at_once) as pool:
                    list(pool.map(self.run_one, self.tasks))
        """,
        {(10, "J5A001"), (13, "J5A002")},
    ),
}


@pytest.mark.parametrize("fault", SHELL_FAULTS)
def test_it_finds_the_fault_in_a_script(fault: str, shell: Callable[[str], list[tuple[int, str]]]) -> None:
    text, expected = SHELL_FAULTS[fault]
    assert set(shell(text)) == expected


@pytest.mark.parametrize("fault", PYTHON_FAULTS)
def test_it_finds_the_fault_in_a_program(fault: str, python: Callable[[str], list[tuple[int, str]]]) -> None:
    text, expected = PYTHON_FAULTS[fault]
    assert set(python(text)) == expected


def test_the_repaired_wrapper_has_no_finding(shell: Callable[[str], list[tuple[int, str]]]) -> None:
    text = """
        #!/usr/bin/env bash
        set -euo pipefail
        # One chunk after another: MAX_PARALLEL=1. Never `whisper … &`, never pkill -f whisper.
        source "$(dirname "$0")/ops/resource_safety_gate.sh"
        MAX_PARALLEL=$(calculate_safe_parallel_count)
        if ! acquire_whisper_lock large-v3; then
            echo "The gate said no; nothing was started." >&2
            exit 75
        fi
        trap release_whisper_lock EXIT
        for chunk in chunks/chunk_*.mp3; do
            [[ -s ${chunk%.mp3}.txt ]] && continue
            nice -n 10 whisper "$chunk" --model large-v3 --output_dir chunks
        done
        cat chunks/*.txt > whole.txt
        """
    assert shell(text) == []
