"""`gate run -- COMMAND`: any command as the machine's one heavy process: locked, gated, watched."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from django.db import DatabaseError

from gate.cli.running import EXIT_BLOCKED, Running
from gate.cli.wait import wait_until_admitted
from gate.core.checks import lock_advice, lock_refusal_text
from gate.core.errors import LockError, LockHeld
from gate.core.heldlock import HeldLock
from gate.core.identity import descriptor_holders, parents
from gate.core.processes import command_text
from gate.core.readings import LockReading, LockState
from gate.core.requirement import Requirement
from gate.services import gate_evaluate, lock_acquire, lock_release, memory_pressure_refusal, policy_in_force

__all__ = ["EXIT_BLOCKED", "RunOrder", "run_command"]

EXIT_NOT_FOUND, EXIT_NOT_STARTED = 127, 126  # as shells have them
RETRY_SECONDS = 1.0
_RECORD_CHARS = 400

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
    name = command_text(order.command[:1])
    try:
        return Running(order.command, held, policy_in_force(), say).until_ended()
    except FileNotFoundError:
        say(f"{name}: no such command. Give its path, or install it.")
        return EXIT_NOT_FOUND
    except OSError as error:
        say(f"{name} cannot be started: {error.strerror or error}.")
        return EXIT_NOT_STARTED
    finally:
        _release(held, say)


def _admitted(order: RunOrder, say: Say) -> HeldLock | None:
    """The lock, taken before the gate is asked so that nobody slips in between; None after a no."""
    while True:
        if not _pressure_eased(order, say):
            return None
        answer = _try_admit(order)
        if isinstance(answer, HeldLock):
            return answer
        say(answer.reason)
        if not order.wait or not answer.waiting_helps:
            return None
        time.sleep(RETRY_SECONDS)
        verdict = wait_until_admitted(order.requirement, timeout_seconds=None, say=say, only_if_it_can=True)
        if not verdict.admitted:
            say(verdict.reason_and_advice)
            return None


def _pressure_eased(order: RunOrder, say: Say) -> bool:
    """Wait, if that is wished, while the command would be ended at once for memory pressure; told once."""
    refusal = memory_pressure_refusal()
    if not refusal:
        return True
    say(
        f"Blocked by memory pressure: {refusal}, and the command would be ended at once. "
        f"Close programs that need much memory.{' It starts when that has eased.' if order.wait else ''}"
    )
    while order.wait and memory_pressure_refusal():
        time.sleep(RETRY_SECONDS)
    return order.wait


def _release(held: HeldLock, say: Say) -> None:
    try:
        if not lock_release(held):
            say("A process that the command left behind keeps the lock until it ends.")
    except DatabaseError as error:  # the lock is free by then; only its history misses a line
        say(f"The release of the lock could not be noted ({error}).")


def _try_admit(order: RunOrder) -> HeldLock | _Refusal:
    command = command_text(order.command, _RECORD_CHARS)
    try:
        held = lock_acquire(model=order.requirement.model, job_ref="gate run", command=command)
    except LockError as refused:
        if isinstance(refused, LockHeld) and (above := _holder_above(refused)) is not None:
            return _Refusal(_nested_text(above, refused.reading), waiting_helps=False)
        return _Refusal(lock_refusal_text(refused), waiting_helps=isinstance(refused, LockHeld))
    try:
        verdict = gate_evaluate(order.requirement, purpose="start", held=held, job_ref="gate run", trust_holder=False)
    except BaseException:
        held.release()
        raise
    if verdict.admitted:
        return held
    lock_release(held, why=verdict.reason)
    return _Refusal(verdict.reason_and_advice, waiting_helps=not verdict.never_passes)


def _holder_above(refused: LockHeld) -> int | None:
    """The process that holds the lock and waits for us, because it (or what it started) started us."""
    ours = (os.getpid(), *parents(os.getpid()))
    holders: set[int] = {refused.reading.held_by_pid} if refused.reading.held_by_pid is not None else set()
    with suppress(OSError):  # removed meanwhile: the PID line has to do
        holders |= set(descriptor_holders(refused.path.stat()))
    return next((pid for pid in ours if pid in holders), None)


def _nested_text(holder: int, reading: LockReading) -> str:
    if reading.state is LockState.LEGACY:  # the number may have been given away, to a terminal or to init
        it = f"{reading.sentence}, which started this command, so waiting would never end"
        return f"Blocked by lock: {it}. {lock_advice(reading)}"
    whose = "this command has it" if holder == os.getpid() else f"PID {holder}, which started this command, has it"
    return (
        f"Blocked by lock: {whose} already, so waiting would never end. What runs under the lock needs no second "
        "`gate run`: start the command without it."
    )
