"""Command line of the demo model: `python -m tools.demo_model [step] [options]`; without a step, all of it."""

from __future__ import annotations

import argparse
import multiprocessing
import time
from pathlib import Path

from tools.demo_model.words import WORDS, check_tokens

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO = REPOSITORY / "transcribe" / "demo"
CLIPS = REPOSITORY / "tests" / "speech"
# 42 shards of 16 streams of 150 s are 28 hours; on two cores they take seven minutes and 1.7 GB.
SHARDS = 42
STREAMS_PER_SHARD = 16


def make_speech(work: Path, shards: int, processes: int) -> None:
    """Synthesise the training streams; shards which exist are kept."""
    from tools.demo_model.streams import make_shard

    folder = work / "shards"
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [(seed, STREAMS_PER_SHARD, folder) for seed in range(shards)]
    # "spawn": a fresh process, with its own espeak-ng library, for each task
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.starmap(make_shard, tasks, chunksize=1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.demo_model", description=__doc__)
    parser.add_argument("step", nargs="?", default="all", choices=["all", "speech", "train", "clips", "evaluate"])
    parser.add_argument("--work", type=Path, default=Path("/tmp/demo_model"), help="scratch folder (2 GB)")
    parser.add_argument("--out", type=Path, default=DEMO / "demo.pt", help="the checkpoint")
    parser.add_argument("--minutes", type=float, default=170.0, help="training time")
    parser.add_argument("--shards", type=int, default=SHARDS, help="40 minutes of speech each")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--resume", action="store_true", help="go on from the scratch folder's state.pt")
    arguments = parser.parse_args()
    check_tokens()
    began = time.monotonic()
    arguments.work.mkdir(parents=True, exist_ok=True)
    if arguments.step in ("all", "clips"):
        from tools.demo_model.clips import make_clips, make_sample

        DEMO.mkdir(parents=True, exist_ok=True)
        (DEMO / "words.txt").write_text("\n".join(WORDS) + "\n")
        make_sample(DEMO)
        make_clips(CLIPS)
    if arguments.step in ("all", "speech"):
        make_speech(arguments.work, arguments.shards, arguments.processes)
    if arguments.step in ("all", "train"):
        from tools.demo_model.train import train

        trainer = train(arguments.work, arguments.out, arguments.minutes, arguments.resume, arguments.processes)
        print(f"{trainer.steps} steps in {trainer.spent / 60:.1f} minutes: {arguments.out}")
    if arguments.step in ("all", "evaluate"):
        from tools.demo_model.evaluate import evaluate

        evaluate(arguments.out, arguments.work)
    print(f"done in {(time.monotonic() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
