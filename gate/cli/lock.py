"""`gate lock`: look at the lock, clear a stale one, and the two acts behind the shell face."""

from __future__ import annotations

import os
from collections.abc import Callable

from gate.cli.texts import lock_lines, verdict_lines
from gate.core.checks import LOCK_DIR_ADVICE, lock_advice, lock_refusal_text
from gate.core.errors import LockError, LockHeld, LockNotStale
from gate.core.requirement import Requirement
from gate.services import (
    gate_evaluate,
    lock_adopt,
    lock_clear_stale,
    lock_give_back,
    lock_publish,
    lock_resume,
    lock_status,
)

__all__ = ["lock_clear", "lock_show", "publish", "shell_acquire", "shell_recheck", "shell_release"]

EXIT_OK, EXIT_NO, EXIT_USAGE = 0, 1, 2
EXIT_OPEN_ANEW, EXIT_KEPT = 3, 4  # only between this command and the shell face

Say = Callable[[str], None]


def lock_show(say: Say) -> int:
    """Exit code 0: nobody holds it, 1: somebody does, or it cannot be trusted."""
    reading = lock_status()
    say("\n".join(lock_lines(reading)))
    return EXIT_NO if reading.is_live else EXIT_OK


def lock_clear(who: str, why: str, say: Say) -> int:
    try:
        cleared = lock_clear_stale(who, why)
    except LockHeld as refused:
        say(f"Not cleared: {refused.reading.sentence}. {lock_advice(refused.reading)}")
        return EXIT_NO
    except LockNotStale as nothing:
        say(f"Nothing to clear: {nothing.reading.sentence}.")
        return EXIT_NO
    except LockError as error:
        say(f"Not cleared: {error}. {LOCK_DIR_ADVICE}")
        return EXIT_NO
    say(f"Cleared: {cleared.before.sentence}.")
    say("\n".join(f"    {line}" for line in cleared.before.proof))
    return EXIT_OK


def publish(say: Say) -> int:
    """Make directory and file, so that a shell may open it."""
    try:
        lock_publish()
    except LockError as error:
        say(f"{error}. {LOCK_DIR_ADVICE}")
        return EXIT_USAGE
    return EXIT_OK


def shell_acquire(descriptor: int, pid: int, requirement: Requirement, command: str, say: Say) -> int:
    """Lock the descriptor that the shell `pid` opened, then ask the gate; on a no it is unlocked again."""
    try:
        held = lock_adopt(descriptor, pid=pid, model=requirement.model, command=command)
    except LockHeld as refused:
        say(lock_refusal_text(refused))
        return EXIT_NO
    except (LockError, OSError) as error:
        say(f"The lock cannot be taken: {error}. {LOCK_DIR_ADVICE}")
        return EXIT_USAGE
    if held is None:
        return EXIT_OPEN_ANEW
    try:
        verdict = gate_evaluate(
            requirement, purpose="start", held=held, job_ref=held.record.job_ref, trust_holder=False
        )
    except BaseException:
        lock_give_back(held, why="the gate could not be asked")
        raise
    if not verdict.admitted:
        lock_give_back(held, why=verdict.reason)
        say("\n".join(verdict_lines(verdict)))
        return EXIT_NO
    os.close(held.fileno())  # the shell keeps its own
    return EXIT_OK


def shell_recheck(descriptor: int, pid: int, requirement: Requirement, say: Say) -> int:
    """Whether the shell's hold still holds and the gate admits `requirement` under it; gives nothing back."""
    try:
        held = lock_resume(descriptor, pid=pid)
    except (LockError, OSError) as error:
        say(f"The lock was lost: {error}.")
        return EXIT_NO
    job_ref = held.record.job_ref
    verdict = gate_evaluate(requirement, purpose="start", held=held, job_ref=job_ref, trust_holder=False)
    if not verdict.admitted:
        say("\n".join(verdict_lines(verdict)))
    return EXIT_OK if verdict.admitted else EXIT_NO


def shell_release(descriptor: int, pid: int, say: Say) -> int:
    try:
        survivors = lock_give_back(lock_resume(descriptor, pid=pid))
    except (LockError, OSError) as error:
        say(f"The lock was not ours any more: {error}.")
        return EXIT_NO
    if survivors:
        say(f"The lock is kept until PID {', '.join(map(str, survivors))} has ended, which this script started.")
        return EXIT_KEPT
    return EXIT_OK
