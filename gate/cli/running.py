"""One command under the gate from start to end: watched with all of its group, guarded, signals passed on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from gate.cli.command_process import CommandProcess
from gate.cli.guardian_process import GuardianProcess
from gate.core.errors import LockError, LockLost
from gate.core.heldlock import HeldLock
from gate.core.identity import with_process
from gate.core.policy import GatePolicy
from gate.core.processes import command_text
from gate.core.watch import Act, Watched
from gate.telling import Teller
from gate.watching import MachineWatch

__all__ = ["EXIT_BLOCKED", "Running"]

EXIT_BLOCKED = os.EX_TEMPFAIL  # 75: try again later
TICK_SECONDS = 0.2
LOOK_SECONDS = 1.0
HEARTBEAT_SECONDS = 5.0
JOB_REF = "gate run"
OBEY_SECONDS = 10.0  # as long as `group_end` gives between SIGTERM and SIGKILL
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
FORWARDED = (*ENDING, signal.SIGUSR1, signal.SIGUSR2)

Say = Callable[[str], None]


class Running:
    def __init__(self, command: Sequence[str], held: HeldLock, policy: GatePolicy, say: Say) -> None:
        self._command = command
        self._held = held
        self._say_text = say
        self._said: set[str] = set()
        self._machine = MachineWatch(policy)
        self._teller = Teller(JOB_REF)
        self._looked_at = self._beat_at = time.monotonic()
        self._asked_at = float("-inf")  # the last signal that asks it to end
        self._woken = self._stopped_outside = self._stays = self._is_ending = self._ended_by_us = False
        self._process: CommandProcess | None = None
        self._early: list[int] = []  # signals that came before there was a process

    def until_ended(self) -> int:
        """The exit code, when nothing of the command's group runs any more. Raises OSError when it cannot start."""
        try:
            return self._until_ended()
        finally:
            self._teller.goes_on("The paused command has ended.")
            self._teller.finish()

    def _until_ended(self) -> int:
        with self._forwarding(), self._guarded() as guardian:
            process = self._start(guardian)
            while (code := process.wait(TICK_SECONDS)) is None:
                self._look(process, guardian)
            while left := process.members():
                self._stay_for(left, code, guardian)
                self._look(process, guardian)
                time.sleep(TICK_SECONDS)
            process.reap()
        return EXIT_BLOCKED if self._ended_by_us else code

    # ── the group ────────────────────────────────────────────────────────────────────────────────
    @contextmanager
    def _guarded(self) -> Iterator[GuardianProcess]:
        """A guardian for as long as there is something to guard; after an error of ours it ends the command."""
        guardian = GuardianProcess(self._held)
        try:
            yield guardian
        finally:
            if self._process is None or not self._process.members():
                self._name_holder(os.getpid())
                guardian.dismiss()

    def _start(self, guardian: GuardianProcess) -> CommandProcess:
        # A line that names the guardian is true whatever happens to us between fork and exec.
        self._name_holder(guardian.pid, command=self._held.record.command)
        process = CommandProcess(self._command, lock_descriptor=self._held.fileno(), tell=guardian.hear_child)
        self._process = process
        for number in self._early:
            self._forward(number)
        self._name_holder(process.pid)
        return process

    def _stay_for(self, left: tuple[int, ...], code: int, guardian: GuardianProcess) -> None:
        if self._stays:
            return
        self._stays = True
        # Of all that run it lives longest: the line names somebody alive even if we are killed.
        self._name_holder(guardian.pid, command=self._held.record.command)
        it = "process" if len(left) == 1 else "processes"
        self._say(
            f"The command has ended with {code}; of its group still run: {_pids(left)}. "
            f"The lock is held, and the {it} watched, until the last has ended."
        )

    def _look(self, process: CommandProcess, guardian: GuardianProcess) -> None:
        now = time.monotonic()
        self._keep_guardian(process, guardian)
        self._notice_stop(process)
        if process.was_signalled:
            self._notice_strangers(process)
        if now - self._beat_at >= HEARTBEAT_SECONDS:
            self._beat_at = now
            self._beat()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._watch(process, now)

    def _keep_guardian(self, process: CommandProcess, guardian: GuardianProcess) -> None:
        with suppress(OSError):  # tried again at the next look
            if guardian.start_anew_if_lost(process.pid):
                if self._stays:
                    self._name_holder(guardian.pid, command=self._held.record.command)
                self._say_once(
                    "The process that ends the command if `gate run` is killed was itself killed; it runs anew."
                )

    def _notice_stop(self, process: CommandProcess) -> None:
        """A person may stop the command: it is not ended by that, and not woken by us when the heat is over."""
        stopped_by = process.stop_change()
        if stopped_by == 0:
            self._stopped_outside = False
        elif stopped_by is not None and not process.is_paused:
            self._stopped_outside = True
            self._say(
                f"The command was stopped by {_signal_name(stopped_by)}, not by the gate. It keeps the lock and is "
                f"watched. `kill -CONT -- -{process.pid}` lets it go on."
            )

    def _notice_strangers(self, process: CommandProcess) -> None:
        process.was_signalled = False
        strangers = process.out_of_reach()
        if strangers:
            self._say_once(
                f"{_pids(strangers)}: started by the command as another user, so it cannot be signalled from here. "
                "The gate neither pauses nor ends it; the lock is held until it has ended."
            )

    # ── the lock ─────────────────────────────────────────────────────────────────────────────────
    def _name_holder(self, pid: int, *, command: str | None = None) -> None:
        record = with_process(self._held.record, pid)
        self._with_lock(lambda: self._held.update(record if command is None else replace(record, command=command)))

    def _beat(self) -> None:
        self._with_lock(self._held.heartbeat)

    def _with_lock(self, act: Callable[[], None]) -> None:
        try:
            act()
        except LockLost as lost:
            self._say_once(
                f"Attention: {lost.reason}. The command goes on and is watched, but an older script may start beside "
                f"it. Find out what changes {self._held.path}."
            )
        except (LockError, OSError):
            return  # a full disk: the kernel lock is held all the same

    # ── heat and memory ──────────────────────────────────────────────────────────────────────────
    def _watch(self, process: CommandProcess, now: float) -> None:
        may_obey = now - self._asked_at < OBEY_SECONDS
        watched = self._machine.look(now, may_pause=not may_obey)  # a stopped process could not obey
        if watched is None:
            return
        if watched.act is not Act.NONE:
            self._act(process, watched)
        elif self._machine.is_paused and not may_obey:
            self._stay_paused(process)

    def _act(self, process: CommandProcess, watched: Watched) -> None:
        if watched.act is Act.PAUSE:
            process.pause()
            self._teller.paused(self._name, watched, JOB_REF)
            self._say(f"Paused: {watched.reason}.")
        elif watched.act is Act.RESUME:
            self._woken = False
            self._teller.goes_on(f"It may go on: {watched.reason}.")
            if self._stopped_outside:
                process.is_paused = False
                self._say(f"{watched.reason}: it may go on, and stays as it was stopped.")
            else:
                process.resume()
                self._say(f"Goes on: {watched.reason}.")
        elif watched.act is Act.END:
            self._end(process, watched)

    def _stay_paused(self, process: CommandProcess) -> None:
        """Again and again: whoever woke it, it is as hot as it was."""
        process.pause()
        if self._woken:
            self._woken = False
            self._say(f"Paused again: not cool yet, and the command did not end within {OBEY_SECONDS:.0f} seconds.")

    def _end(self, process: CommandProcess, watched: Watched) -> None:
        if self._is_ending:  # and cannot be ended; the machine is still in need
            process.signal(signal.SIGKILL)
            return
        self._is_ending = True
        self._ended_by_us = process.wait(0) is None
        self._say(f"Ended: {watched.reason}. Start it again when the gate admits it.")
        left = process.end()
        self._teller.ended(self._name, watched, JOB_REF)
        if left:
            self._say(f"Still running after SIGKILL: {_pids(left)}. The lock is held until it has ended.")

    # ── signals ──────────────────────────────────────────────────────────────────────────────────
    @contextmanager
    def _forwarding(self) -> Iterator[None]:
        """What is sent to this process goes to the command; a paused one is woken to receive it."""
        before = {number: signal.getsignal(number) for number in (*FORWARDED, signal.SIGTSTP, signal.SIGCHLD)}
        for number in FORWARDED:
            if before[number] is not signal.SIG_IGN:  # nohup
                signal.signal(number, lambda received, _: self._forward(received))
        signal.signal(signal.SIGTSTP, lambda *_: self._rest())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # inherited as ignored, it would cost us every exit code
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
            self._asked_at = time.monotonic()
            self._woken = self._woken or self._process.is_paused
            self._process.resume()

    def _rest(self) -> None:
        """Ctrl-Z: the command rests with us."""
        if self._process is not None:
            self._process.pause()
        os.kill(os.getpid(), signal.SIGSTOP)
        if self._process is not None and not self._machine.is_paused and not self._stopped_outside:
            self._process.resume()

    # ── words ────────────────────────────────────────────────────────────────────────────────────
    @property
    def _name(self) -> str:
        return command_text(self._command[:1])

    def _say(self, text: str) -> None:
        self._say_text(text)

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._say(text)


def _pids(pids: tuple[int, ...]) -> str:
    return f"PID {', '.join(map(str, pids))}"


def _signal_name(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
