"""The engine as a child process: started at the lock's descriptor, asked, watched, and proven gone."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from django.conf import settings

from gate.core.groups import group_left_after
from gate.core.manners import lower_priority
from gate.core.oom import OomJudgement, OomReport, OomWitness
from transcribe.engine.errors import ProtocolError
from transcribe.engine.protocol import Failed, Load, Loaded, Message, Progress, Transcribe, Transcribed, decode, encode
from transcribe.engine_logs import AttemptLog
from transcribe.errors import EngineFailed, EngineLost, MachineEnded
from transcribe.held import HeldFor, HeldTimes, Stretch
from transcribe.silence import WINDOWS_OF_SILENCE, silence_limit

WATCH_SECONDS = 1.0  # how often `watch` is called while the engine works
END_GRACE_SECONDS = 5.0
GONE_SECONDS = 5.0  # what the kernel needs to take a killed group down; more is told by the lock, which stays taken
POLL_SECONDS = 0.05
# The engine gets what a program needs to run, and no secret.
ENVIRONMENT_NAMES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONWARNINGS")
# Threads that wait for each other spin for tens of microseconds, then sleep. Who sleeps at once loses time to waking,
# which is slow on virtual machines; who spins for long takes the processor from the one that is waited for, where other
# programs want it as well. 150 s of speech with the demo model, start and loading included, two cores: 13 s asleep at
# once, 9 to 10 s so, 9 s with libgomp's own 300000; with one busy program beside it 12 to 13 s, 15 to 16 s, and more
# than 100 s. (Large models wait less often.) PASSIVE is for other OpenMP libraries, and for more threads than cores.
ENVIRONMENT_DEFAULTS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "2000"}
ENVIRONMENT_PREFIXES = ("OPENBLAS_", "MKL_", "OMP_", "GOMP_", "KMP_", "LD_")


class EngineProcess:
    """One engine process in a session and process group of its own.

    `lock_descriptor` is inherited: the lock stays taken until the last process of the group is gone. `held` counts the
    time that `hold` makes it stand still. Until `kill` reaps it, it is our child and its PID, also as the id of its
    group, is nobody else's: every signal is sent under the guard, after a look whether it was reaped.
    """

    def __init__(self, *, lock_descriptor: int, log: AttemptLog, held: HeldTimes) -> None:
        self.log = log
        self.held = held
        self.slowest_window_seconds: float | None = None
        self.slowest_window_seconds_before: float | None = None  # of engines before this one, with the same model
        self._buffer = b""
        self._guard = threading.Lock()
        self._machine_reason = ""
        self._is_tied = False  # to us, by its own word: one that is stopped before would outlive us with the lock
        with log.path.open("ab") as log_file:
            self._process = subprocess.Popen(
                # j5a: allow J5A001 because slot.py holds the lock and asked the gate before it makes this object
                [sys.executable, "-m", "transcribe.engine", str(os.getpid())],
                cwd=settings.BASE_DIR,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                pass_fds=(lock_descriptor,),
                start_new_session=True,
            )
        self.pid = self._process.pid
        lower_priority(self.pid)  # it does so itself as soon as its Python has come up
        self.witness = OomWitness(self.pid)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)

    def load(self, request: Load, *, watch: Callable[[], None]) -> Loaded:
        answer = self._ask(request, on_message=lambda _: None, watch=watch)
        if not isinstance(answer, Loaded):
            raise ProtocolError(f"the engine answered {answer.KIND} to load")
        return answer

    def transcribe(
        self, request: Transcribe, *, on_message: Callable[[Message], None], watch: Callable[[], None]
    ) -> Transcribed:
        request = replace(request, log_path=str(self.log.path))
        answer = self._ask(request, on_message=on_message, watch=watch)
        if not isinstance(answer, Transcribed):
            raise ProtocolError(f"the engine answered {answer.KIND} to transcribe")
        return answer

    def is_alive(self) -> bool:
        """Looks without reaping: only `kill` does that."""
        if self._process.returncode is not None:
            return False
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:  # a caller that ignores SIGCHLD has the kernel reap
            return False

    # ── called by the watch's thread ─────────────────────────────────────────────────────────────
    def hold(self, what: HeldFor) -> None:
        """Make the whole group stand still, as soon as it ends with us."""
        if self._is_tied and self._signal(signal.SIGSTOP):
            self.held.begin(what)

    def let_go(self) -> None:
        self._signal(signal.SIGCONT)
        self.held.end()

    def end_for_machine(self, reason: str) -> None:
        """Kill it for the machine's sake; whoever waits for its answer gets MachineEnded with the reason."""
        self._machine_reason = reason
        self._signal(signal.SIGKILL)  # works on a stopped process, too
        self.held.end()

    def require_not_ended(self) -> None:
        """Raise MachineEnded when the watch has ended it."""
        if self._machine_reason:
            raise MachineEnded(self._machine_reason)

    def _signal(self, number: signal.Signals) -> bool:
        with self._guard:
            if self._process.returncode is not None:
                return False
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                return False
            return True

    # ── the end ──────────────────────────────────────────────────────────────────────────────────
    def end(self) -> int | None:
        """End the process: first by closing its input, then by force. Returns its exit code."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        deadline = time.monotonic() + END_GRACE_SECONDS
        while self.is_alive() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return self.kill()

    def kill(self) -> int | None:
        """Kill the whole process group, wait until none of it runs, and reap it."""
        with self._guard:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
                group_left_after(self.pid, GONE_SECONDS)
            code = self._process.wait()
        self.held.end()
        self.witness.close()
        self._selector.close()
        with contextlib.suppress(OSError):
            self._stdin.close()
        self._stdout.close()
        return code

    def _ask(self, request: Message, *, on_message: Callable[[Message], None], watch: Callable[[], None]) -> Message:
        """Send a request and read to its last answer. Whatever `watch` raises ends the wait and goes up.

        Raises:
            EngineFailed: the engine said why it never can.
            EngineLost: it ended, said nothing for too long, or cannot now. Time that it was held is no silence.
            MachineEnded: the watch ended it.
        """
        try:
            self._stdin.write(encode(request))
            self._stdin.flush()
        except OSError:
            raise self.lost() from None
        silence, window = Stretch(self.held), Stretch(self.held)
        while True:
            watch()
            self.require_not_ended()
            for message in self._read():
                silence = Stretch(self.held)
                self._is_tied = True
                if isinstance(message, Failed):
                    raise self._failed(message)
                if isinstance(message, Loaded | Transcribed):
                    return message
                if isinstance(message, Progress):
                    self.slowest_window_seconds = max(self.slowest_window_seconds or 0.0, window.seconds())
                    window = Stretch(self.held)
                on_message(message)
            if silence.seconds() > self._silence_limit():
                raise self._hung()

    def _failed(self, answer: Failed) -> EngineFailed | EngineLost:
        """What may pass (no memory just now) is a loss: that engine is not asked again, another one is."""
        if answer.permanent:
            return EngineFailed(answer.message)
        self.kill()
        return EngineLost(f"{answer.message} It was ended.", exit_code=None, output_tail=self.log.tail())

    def _slowest_window(self) -> float | None:
        """None before the first window of this engine: model and machine may be slow to begin."""
        own = self.slowest_window_seconds
        return None if own is None else max(own, self.slowest_window_seconds_before or 0.0)

    def _silence_limit(self) -> float:
        return silence_limit(
            self._slowest_window(),
            floor_seconds=settings.ENGINE_SILENT_SECONDS,
            ceiling_seconds=settings.ENGINE_HUNG_SECONDS,
        )

    def _hung(self) -> EngineLost:
        limit_seconds = self._silence_limit()
        slowest_seconds = self._slowest_window()
        why = "J5A_ENGINE_HUNG_SECONDS"
        if slowest_seconds is not None and limit_seconds < settings.ENGINE_HUNG_SECONDS:
            slowest = f"the slowest window so far took {slowest_seconds:.1f} s"
            why = f"{slowest}, {WINDOWS_OF_SILENCE} times that or J5A_ENGINE_SILENT_SECONDS is the limit"
        self.kill()
        text = f"The engine said nothing for {limit_seconds:.0f} s ({why}) and was ended as hung."
        return EngineLost(text, exit_code=None, output_tail=self.log.tail(), hung_after_seconds=limit_seconds)

    def _read(self) -> list[Message]:
        """The messages that arrive within `WATCH_SECONDS`."""
        if not self._selector.select(WATCH_SECONDS):
            return []
        data = os.read(self._stdout.fileno(), 1 << 16)
        if not data:
            raise self.lost()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [decode(line) for line in lines]

    def lost(self) -> EngineLost | MachineEnded:
        """What to raise about a process that has ended, or has closed its pipe and so is about to."""
        self._await_end()
        report = self.witness.report()  # before it is reaped, and so before its group can be gone
        code = self.kill()
        if self._machine_reason:
            return MachineEnded(self._machine_reason)
        tail = "\n".join(filter(None, (self.log.tail(), report.line)))
        is_oom = code == -signal.SIGKILL and report.judgement in (OomJudgement.YES, OomJudgement.LIKELY)
        return EngineLost(describe_exit(code, report), exit_code=code, output_tail=tail, is_oom=is_oom)

    def _await_end(self) -> None:
        """Its pipe closes a moment before it is dead; killed in that moment, its own exit code would be lost."""
        deadline = time.monotonic() + END_GRACE_SECONDS
        while self.is_alive() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    @property
    def _stdin(self):  # type: ignore[no-untyped-def]
        assert self._process.stdin is not None  # noqa: S101 - we asked for a pipe
        return self._process.stdin

    @property
    def _stdout(self):  # type: ignore[no-untyped-def]
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout


def describe_exit(code: int | None, report: OomReport | None = None) -> str:
    """An exit code in words."""
    if code is None or code >= 0:
        return f"The engine ended by itself with exit code {code}; its last lines are in the attempt's log."
    name = signal.Signals(-code).name
    signalled = f"The engine was killed by signal {-code} ({name})."
    if -code != signal.SIGKILL:
        return signalled
    if report is None or report.judgement is OomJudgement.UNKNOWN:
        return f"{signalled} The kernel does this when memory runs out."
    if report.judgement is OomJudgement.NO:
        return f"{signalled} {report.text}"
    return report.text


def _environment() -> dict[str, str]:
    own = {
        name: value
        for name, value in os.environ.items()
        if name in ENVIRONMENT_NAMES or name.startswith(ENVIRONMENT_PREFIXES)
    }
    chosen = own.keys() & ENVIRONMENT_DEFAULTS.keys()  # one of them without the other would be neither's way of waiting
    return own if chosen else {**ENVIRONMENT_DEFAULTS, **own}
