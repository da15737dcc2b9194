"""The one engine of this host and the lock it holds, kept from job to job while the model stays the same."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace

from django.conf import settings
from django.db import DatabaseError

from gate.core.checks import lock_refusal_text
from gate.core.errors import LockError
from gate.core.groups import group_left_after
from gate.core.heldlock import HeldLock
from gate.core.verdict import CheckName, Verdict
from gate.services import (
    PURPOSE_START,
    gate_evaluate,
    lock_acquire,
    lock_release,
    memory_pressure_refusal,
    policy_in_force,
)
from transcribe.engine.protocol import Load, Loaded
from transcribe.engine_logs import AttemptLog, log_begin
from transcribe.errors import JobBlocked, JobPressed
from transcribe.held import Held, HeldTimes
from transcribe.learned import slowest_window
from transcribe.models import Job
from transcribe.resolve import ResolvedModel
from transcribe.run_watch import EngineWatch
from transcribe.supervisor import EngineProcess

logger = logging.getLogger(__name__)

GONE_LOOK_SECONDS = 10.0  # how often a group that survives SIGKILL (it waits for a disk) is told in the log
COOL_LOOK_SECONDS = 5.0  # how often the gate is asked again while a loaded engine waits to cool
COOL_WATCH_SECONDS = 0.2
HEARTBEAT_SECONDS = 5.0  # a lock without a sign of life for hung_after_seconds (gate.core.policy) counts as hung


class EngineSlot:
    """Empty, or the lock, or the lock and an engine with one model loaded.

    The lock is taken before the gate is asked, and given back when the slot closes; the engine inherits its
    descriptor, so it stays taken while any engine lives.
    """

    def __init__(self) -> None:
        self._held: HeldLock | None = None
        self._engine: EngineProcess | None = None
        self._watch: EngineWatch | None = None
        self._job_ref = ""
        self._cooling_text = ""
        self._log: AttemptLog | None = None
        self._logged_attempt = (0, 0)
        self.held = HeldTimes()  # of every engine that this slot had
        self.beside: Held | None = None  # what works for the job beside its engine, and is held with it
        self._loaded: Loaded | None = None
        self._model: ResolvedModel | None = None
        self._shown_at = 0.0

    def admit(self, job: Job, model: ResolvedModel) -> None:
        """Take the lock if we do not hold it, then ask the gate. On a no everything is given back.

        Where an engine must be started, memory pressure is looked at before: what ends a running one starts none.

        Raises:
            JobBlocked, JobPressed: with the reason in words.
        """
        if not self._holds(model):
            self._end_engine()
            self._require_no_pressure()
        self._job_ref = f"job {job.pk}"
        if self._held is None:
            try:
                self._held = lock_acquire(model=model.value, job_ref=self._job_ref)
            except LockError as refused:
                raise JobBlocked(lock_refusal_text(refused)) from refused
        elif self._held.record.job_ref != self._job_ref:
            self._name_holder(self._held.record.pid, self._job_ref)
        verdict = self._verdict(job, model, PURPOSE_START)
        if not verdict.admitted:
            self.close()
            raise JobBlocked(verdict.reason_and_advice)

    def admit_chunk(self, job: Job, model: ResolvedModel, *, watch: Callable[[], None]) -> None:
        """Ask the gate again before a chunk, with the engine that `engine` gave.

        While only heat is in the way the loaded engine waits, as one that reads is paused and not ended for it: a model
        that is loaded anew each time would heat the machine and read nothing. `held_text` says why.

        Raises:
            JobBlocked: on another no, or when it does not cool for as long as a pause may last.
            EngineLost, MachineEnded: the engine has ended. And what `watch` raises.
        """
        begun_at = time.monotonic()
        while True:
            watch()
            if self._engine is not None and not self._engine.is_alive():
                raise self._engine.lost()
            verdict = self._verdict(job, model, "chunk")
            self._cooling_text = ""
            if verdict.admitted:
                return
            is_patient = time.monotonic() - begun_at < policy_in_force().pause_limit_seconds
            if not (verdict.waits_only_to_cool and is_patient):
                self.close()
                raise JobBlocked(verdict.reason_and_advice)
            seen = verdict.result(CheckName.TEMPERATURE).summary
            self._cooling_text = f"Waits to cool, with the model loaded: {seen}"
            asks_at = time.monotonic() + COOL_LOOK_SECONDS
            while time.monotonic() < asks_at:
                watch()
                time.sleep(COOL_WATCH_SECONDS)

    def _verdict(self, job: Job, model: ResolvedModel, purpose: str) -> Verdict:
        requirement = model.requirement
        if self._loaded is not None:
            requirement = requirement.less_resident(self._loaded.resident_bytes)
        return gate_evaluate(requirement, purpose=purpose, held=self._held, job_ref=str(job.pk))

    def engine(self, job: Job, model: ResolvedModel, *, watch: Callable[[], None]) -> EngineProcess:
        """The running engine with `model` loaded. Call `admit` first.

        Raises:
            EngineFailed, EngineLost: the model could not be loaded, or its engine has ended since `admit`, which the
                next `admit` tidies up: no engine is started in its place before the gate is asked again.
            MachineEnded: the machine could not bear it.
        """
        if self._engine is not None:
            if not self._holds(model):
                raise self._engine.lost()
            if (job.pk, job.attempt) != self._logged_attempt:
                self._engine.log = self._attempt_log(job)
            return self._engine
        assert self._held is not None  # noqa: S101 - admit() comes first
        engine = EngineProcess(lock_descriptor=self._held.fileno(), log=self._attempt_log(job), held=self.held)
        self._engine = engine
        self._watch = EngineWatch(engine, lambda: self._job_ref, lambda: self.beside)
        self._name_holder(engine.pid)
        request = Load(
            path=str(model.path), name=model.whisper_name, threads=settings.ENGINE_THREADS, sha256=model.sha256
        )
        self._loaded = engine.load(request, watch=watch)
        engine.slowest_window_seconds_before = slowest_window(model.value)
        self._model = model  # only now: an engine that could not load it serves no later job
        return engine

    @property
    def is_multilingual(self) -> bool:
        return self._loaded is not None and self._loaded.is_multilingual

    @property
    def held_text(self) -> str:
        """Why the engine stands still or goes slowly; empty while it works freely."""
        return self._cooling_text or ("" if self._watch is None else self._watch.text)

    @property
    def slowest_window_seconds(self) -> float | None:
        """Of the engine that is here, since it was started."""
        return None if self._engine is None else self._engine.slowest_window_seconds

    def require_not_ended(self) -> None:
        """Raise MachineEnded when the watch has ended the engine."""
        if self._engine is not None:
            self._engine.require_not_ended()

    def _require_no_pressure(self) -> None:
        if refusal := memory_pressure_refusal():
            self.close()
            raise JobPressed(
                f"Waits for memory: {refusal}, and an engine would be ended at once. "
                "It starts by itself when that has eased. Close programs that need much memory."
            )

    def show_life(self) -> None:
        """A sign of life in the lock's record, at most every HEARTBEAT_SECONDS. Call it each second: so long the watch
        may take for its look.

        A lock that was taken from under us is not told here: the gate tells it before the next chunk.
        """
        if self._watch is not None:
            self._watch.expect_look()
        now = time.monotonic()
        if self._held is None or now - self._shown_at < HEARTBEAT_SECONDS:
            return
        self._shown_at = now
        with contextlib.suppress(LockError, OSError):
            self._held.heartbeat()

    def kill(self) -> None:
        """End the engine at once and give the lock back; returns when its process group is proved gone."""
        if self._engine is not None:
            self._engine.kill()
            _wait_until_gone(self._engine.pid)
            self._stop_watch()
            self._engine = None
        self.close()

    def close(self) -> None:
        """End the engine (memory goes back) and release the lock."""
        self._end_engine()
        if self._held is None:
            return
        held, self._held = self._held, None
        try:
            lock_release(held)
        except DatabaseError as problem:  # the lock is free by then; only its history misses a line
            logger.warning("the release of the lock could not be noted (%s)", problem)

    def _name_holder(self, pid: int, job_ref: str = "") -> None:
        """Let the lock's PID line name the process that lives: old scripts delete a lock whose PID is gone."""
        if self._held is None:
            return
        try:
            if job_ref:
                self._held.update(replace(self._held.record, job_ref=job_ref))
            else:
                self._held.update_pid(pid)
        except LockError as error:
            raise JobBlocked(f"{error} The lock is no longer ours, so the engine was ended.") from error

    def _end_engine(self) -> None:
        if self._engine is not None:
            with contextlib.suppress(JobBlocked):  # the engine must end whatever the lock file says
                self._name_holder(os.getpid())
            self._stop_watch()
            self._engine.end()
        self._engine = self._model = self._loaded = None

    def _attempt_log(self, job: Job) -> AttemptLog:
        """A new log for a new attempt; where its first engine ended between two chunks, the next one writes on."""
        attempt = (job.pk, job.attempt)
        if self._log is None or attempt != self._logged_attempt:
            self._log, self._logged_attempt = log_begin(job), attempt
        else:
            self._log = AttemptLog(self._log.path)
        return self._log

    def _stop_watch(self) -> None:
        self._cooling_text = ""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def _holds(self, model: ResolvedModel) -> bool:
        if self._engine is None or self._model is None or not self._engine.is_alive():
            return False
        # The name decides the alignment heads, and with them the times of words.
        return (self._model.sha256, self._model.whisper_name) == (model.sha256, model.whisper_name)


def _wait_until_gone(group: int) -> None:
    """Nothing is told to have ended before it has: a process in the kernel's hands may outlive SIGKILL for a while."""
    while left := group_left_after(group, GONE_LOOK_SECONDS):
        logger.warning("processes %s of engine %d do not end yet; waiting for them", left, group)
