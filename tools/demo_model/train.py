"""Training: a curriculum of longer and longer windows, on two CPU cores, with checkpoints every few minutes."""

from __future__ import annotations

import json
import math
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tools.demo_model.network import IGNORE, DemoNetwork, save_atomically
from tools.demo_model.windows import SECOND_SHARE, Batch, Sampler, Stream, load_streams

SEED: Final = 20_261_124
AVERAGE: Final = 0.998  # moving average of the weights, which is what is exported: about 500 steps
WARMUP_STEPS: Final = 300
CHECKPOINT_S: Final = 120.0
REPORT_S: Final = 20.0
FRAME_WEIGHT: Final = 1.0  # of the loss which names the word of each encoder frame; beside the decoder's


@dataclass(frozen=True)
class Stage:
    """A part of the run: up to `until` (share of the time), windows of these lengths, drawn with these weights."""

    until: float
    seconds: tuple[float, ...]
    weights: tuple[int, ...]
    audio: float  # seconds of audio in one batch
    rate: float  # learning rate at the stage's beginning; it falls linearly to the next stage's
    prompts: float  # share of the batches with previous text
    plain: bool = False


# Short windows and small batches first: attention over 30 s costs six times as much per second of speech, and at
# the beginning the number of steps matters more than their precision. A network which goes from 5 s straight to
# 30 s loses every word after the tenth second.
STAGES: Final[tuple[Stage, ...]] = (
    Stage(0.12, (4.0,), (1,), 40.0, 2.0e-3, 0.03, plain=True),
    Stage(0.32, (4.0, 6.0), (1, 1), 60.0, 2.0e-3, 0.15),
    Stage(0.45, (5.0, 10.0, 30.0), (4, 8, 1), 90.0, 1.8e-3, 0.3),
    Stage(0.60, (6.0, 12.0, 20.0, 30.0), (2, 2, 4, 1), 120.0, 1.6e-3, 0.6),
    Stage(0.82, (6.0, 15.0, 30.0), (1, 1, 3), 150.0, 1.3e-3, 0.75),
    Stage(1.00, (15.0, 30.0), (1, 4), 180.0, 0.8e-3, 0.8),
)
FINAL_RATE: Final = 3e-5


def stage_at(progress: float) -> tuple[Stage, float]:
    """The stage at a share of the run and the learning rate there."""
    begin = 0.0
    for number, stage in enumerate(STAGES):
        if progress < stage.until or number == len(STAGES) - 1:
            following = STAGES[number + 1].rate if number + 1 < len(STAGES) else FINAL_RATE
            part = min(max((progress - begin) / (stage.until - begin), 0.0), 1.0)
            return stage, stage.rate + (following - stage.rate) * part
        begin = stage.until
    raise AssertionError("unreachable")


def batch_loss(network: DemoNetwork, batch: Batch) -> tuple[Tensor, float, float, float]:
    """The loss to minimise, and for the log: decoder loss, share of right tokens, frame loss."""
    audio = network.encode(torch.from_numpy(batch.mel), torch.from_numpy(batch.offset))
    table = network.table()
    outputs = network.decode(torch.from_numpy(batch.tokens), audio, table)
    labels, second = torch.from_numpy(batch.labels), torch.from_numpy(batch.second)
    wanted = labels != IGNORE
    logits = network.logits(outputs[wanted], table)
    labels, second = labels[wanted], second[wanted]
    both = second != IGNORE
    each = cross_entropy(logits, labels, reduction="none")
    other = cross_entropy(logits, second.where(both, labels), reduction="none")
    text = (each + SECOND_SHARE * both * (other - each)).mean()
    frames = cross_entropy(network.frame_head(audio).flatten(0, 1), torch.from_numpy(batch.frames).flatten())
    right = (logits.argmax(1) == labels).float().mean()
    return text + FRAME_WEIGHT * frames, float(text.detach()), float(right), float(frames.detach())


class Trainer:
    """State of a run: network, its moving average, optimiser, steps and seconds so far."""

    def __init__(self, streams: list[Stream], minutes: float, workers: int) -> None:
        # One thread per worker, not two threads per operation: where other programs run, each operation would
        # wait for the slower of the two cores.
        torch.set_num_threads(1)
        torch.manual_seed(SEED)
        self.network = DemoNetwork()
        self.average = DemoNetwork()
        self.average.load_state_dict(self.network.state_dict())
        matrices = [p for p in self.network.parameters() if p.ndim > 1]
        vectors = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98))
        self.streams = streams
        self.minutes = minutes
        self.workers = workers
        self.lock = threading.Lock()
        self.sums: list[tuple[float, float, float]] = []
        self.steps = 0
        self.spent = 0.0

    def save(self, path: Path) -> None:
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.steps,
            "spent": self.spent,
        }
        save_atomically(state, path)

    def resume(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps, self.spent = state["steps"], state["spent"]

    @property
    def progress(self) -> float:
        return self.spent / (60 * self.minutes)

    def run(self, work: Path, out: Path) -> None:
        """Train until the time is used; write work/state.pt and the exported checkpoint `out` regularly."""
        threads = [
            threading.Thread(target=self._work, args=(SEED + self.steps + 1000 * i,), daemon=True)
            for i in range(self.workers)
        ]
        for thread in threads:
            thread.start()
        now = saved = reported = time.monotonic()
        while any(thread.is_alive() for thread in threads):
            time.sleep(1.0)
            before, now = now, time.monotonic()
            self.spent += now - before
            if now - reported > REPORT_S:
                reported = now
                self._report(work)
            if now - saved > CHECKPOINT_S:
                saved = now
                with self.lock:
                    self.save(work / "state.pt")
                    save_atomically(self.average.checkpoint(), out)
        self.save(work / "state.pt")
        save_atomically(self.average.checkpoint(), out)

    def _work(self, seed: int) -> None:
        """Thread: gradients of a replica, applied to the shared network by turns (asynchronous descent)."""
        sampler = Sampler(self.streams, seed)
        replica = DemoNetwork()
        while self.progress < 1.0:
            stage, rate = stage_at(self.progress)
            seconds = sampler.rng.choices(stage.seconds, weights=stage.weights)[0]
            sampler.plain = stage.plain
            batch = sampler.batch(max(round(stage.audio / seconds), 1), seconds, stage.prompts)
            with self.lock:
                replica.load_state_dict(self.network.state_dict())
            loss, text, right, frames = batch_loss(replica, batch)
            replica.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(replica.parameters(), 1.0)
            with self.lock:
                for mine, shared in zip(replica.parameters(), self.network.parameters(), strict=True):
                    shared.grad = mine.grad
                self._step(rate)
                if math.isfinite(text):
                    self.sums.append((text, right, frames))

    def _step(self, rate: float) -> None:
        """One step of the shared network and of its moving average; the caller holds the lock."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate * min(1.0, (self.steps + 1) / WARMUP_STEPS)
        self.optimizer.step()
        self.steps += 1
        keep = min(AVERAGE, self.steps / (self.steps + 9))
        with torch.no_grad():
            old: list[Tensor] = list(self.average.parameters())
            new: list[Tensor] = list(self.network.parameters())
            torch._foreach_lerp_(old, new, 1 - keep)

    def _report(self, work: Path) -> None:
        with self.lock:
            sums, self.sums = self.sums, []
        if not sums:
            return
        means = [round(sum(values) / len(sums), 4) for values in zip(*sums, strict=True)]
        line = {
            "minutes": round(self.spent / 60, 2), "steps": self.steps, "loss": means[0], "right": means[1],
            "frame_loss": means[2], "per_step_s": round(REPORT_S / len(sums), 3),
        }  # fmt: skip
        with (work / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")


def train(work: Path, out: Path, minutes: float, resume: bool, workers: int = 2) -> Trainer:
    """Train on the shards in work/shards and export to `out`."""
    streams = [s for path in sorted((work / "shards").glob("shard_????.npz")) for s in load_streams(path)]
    trainer = Trainer(streams, minutes, workers)
    state = work / "state.pt"
    if resume and state.exists():
        trainer.resume(state)
    trainer.run(work, out)
    return trainer
