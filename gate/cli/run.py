"""`gate run -- COMMAND`: any command as the machine's one heavy process: locked, gated, watched."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.db import DatabaseError

from gate.cli.command_process import CommandProcess
from gate.cli.wait import wait_until_admitted
from gate.core.checks import lock_refusal_text
from gate.core.errors import LockError, LockHeld
from gate.core.heldlock import HeldLock
from gate.core.requirement import Requirement
from gate.core.sensors import SensorMemory, take_vitals
from gate.core.watch import Act, WatchState, watch
from gate.services import gate_evaluate, heat_latch_trip, lock_acquire, lock_release, policy_in_force

__all__ = ["EXIT_BLOCKED", "RunOrder", "run_command"]

EXIT_BLOCKED = os.EX_TEMPFAIL  # 75: try again later
EXIT_NOT_FOUND, EXIT_NOT_STARTED = 127, 126  # as shells have them
LOOK_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
FORWARDED = (*ENDING, signal.SIGUSR1, signal.SIGUSR2)

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class RunOrder:
    command: tuple[str, ...]
    requirement: Requirement
    wait: bool


@dataclass(frozen=True)
class _Refusal:
    """A no with its reason. A lock that cannot be used, or too little memory in all, is not waited for."""

    reason: str
    waiting_helps: bool


def run_command(order: RunOrder, say: Say) -> int:
    """The command's own exit code; 75 when the gate said no, or when the machine's state ended it."""
    held = _admitted(order, say)
    if held is None:
        return EXIT_BLOCKED
    try:
        return _Run(order.command, held, say).until_ended()
    except FileNotFoundError:
        say(f"{order.command[0]}: no such command. Give its path, or install it.")
        return EXIT_NOT_FOUND
    except OSError as error:
        say(f"{order.command[0]} cannot be started: {error.strerror or error}.")
        return EXIT_NOT_STARTED
    finally:
        _release(held, say)


def _admitted(order: RunOrder, say: Say) -> HeldLock | None:
    """The lock, taken before the gate is asked so that nobody slips in between; None after a no."""
    while True:
        answer = _try_admit(order)
        if isinstance(answer, HeldLock):
            return answer
        say(answer.reason)
        if not order.wait or not answer.waiting_helps:
            return None
        time.sleep(LOOK_SECONDS)
        wait_until_admitted(order.requirement, timeout_seconds=None, say=say)


def _release(held: HeldLock, say: Say) -> None:
    try:
        if not lock_release(held):
            say("A process that the command left behind keeps the lock until it ends.")
    except DatabaseError as error:  # the lock is free by then; only its history misses a line
        say(f"The release of the lock could not be noted ({error}).")


def _try_admit(order: RunOrder) -> HeldLock | _Refusal:
    try:
        held = lock_acquire(model=order.requirement.model, job_ref="gate run", command=" ".join(order.command))
    except LockError as refused:
        return _Refusal(lock_refusal_text(refused), waiting_helps=isinstance(refused, LockHeld))
    try:
        verdict = gate_evaluate(order.requirement, purpose="start", held=held, job_ref="gate run", trust_holder=False)
    except BaseException:
        held.release()
        raise
    if verdict.admitted:
        return held
    lock_release(held, why=verdict.reason)
    return _Refusal(f"{verdict.reason} {verdict.advice}".strip(), waiting_helps=not verdict.never_passes)


class _Run:
    """One command from start to end."""

    def __init__(self, command: Sequence[str], held: HeldLock, say: Say) -> None:
        self._command = command
        self._held = held
        self._say = say
        self._known = SensorMemory()
        self._state = WatchState()
        self._policy = policy_in_force()
        self._looked_at = self._beat_at = time.monotonic()
        self._ended_by_us = self._asked_to_end = False
        self._process: CommandProcess | None = None
        self._early: list[int] = []  # signals that came before there was a process

    def until_ended(self) -> int:
        with self._forwarding():
            process = self._process = CommandProcess(self._command, lock_descriptor=self._held.fileno())
            for number in self._early:
                self._forward(number)
            self._name_holder(process.pid)
            while (code := process.wait(0.2)) is None:
                self._look(process)
        self._name_holder(os.getpid())
        return EXIT_BLOCKED if self._ended_by_us else code

    def _name_holder(self, pid: int) -> None:
        with suppress(LockError, OSError):
            self._held.update_pid(pid)

    def _look(self, process: CommandProcess) -> None:
        now = time.monotonic()
        if now - self._beat_at >= HEARTBEAT_SECONDS:
            self._beat_at = now
            with suppress(LockError, OSError):
                self._held.heartbeat()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._watch(process, now)

    def _watch(self, process: CommandProcess, now: float) -> None:
        vitals = take_vitals(self._policy, self._known)
        watched = watch(vitals, self._policy, self._state, at_seconds=now)
        if watched.act is Act.PAUSE and self._asked_to_end:
            return  # a stopped process could not obey
        self._state = watched.state
        if watched.is_for_heat:
            heat_latch_trip()
        if watched.act is Act.PAUSE:
            process.pause()
            self._say(f"Paused: {watched.reason}.")
        elif watched.act is Act.RESUME:
            process.resume()
            self._say(f"Goes on: {watched.reason}.")
        elif watched.act is Act.END:
            self._ended_by_us = True
            self._say(f"Ended: {watched.reason}. Start it again when the gate admits it.")
            process.end()

    # ── signals ──────────────────────────────────────────────────────────────────────────────────
    @contextmanager
    def _forwarding(self) -> Iterator[None]:
        """What is sent to this process goes to the command; a paused one is woken to receive it."""
        before = {number: signal.getsignal(number) for number in (*FORWARDED, signal.SIGTSTP)}
        for number in FORWARDED:
            if before[number] is not signal.SIG_IGN:  # nohup
                signal.signal(number, lambda received, _: self._forward(received))
        signal.signal(signal.SIGTSTP, lambda *_: self._rest())
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _forward(self, number: int) -> None:
        if self._process is None:
            self._early.append(number)
            return
        self._process.signal(number)
        if number in ENDING:
            self._asked_to_end = True
            self._process.resume()

    def _rest(self) -> None:
        """Ctrl-Z: the command rests with us."""
        if self._process is not None:
            self._process.pause()
        os.kill(os.getpid(), signal.SIGSTOP)
        if self._process is not None and self._state.paused_at_seconds is None:
            self._process.resume()
