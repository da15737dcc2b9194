"""The watch over the engine: each second the machine is looked at, and the engine rests, pauses, goes on or ends.

A thread of its own, which neither asks the database nor waits for the run: the run may stand for half a minute at a
database that another program has locked, and the machine must not burn meanwhile. The run reads `text` and `held`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.db import DatabaseError

from gate.conf import gate_policy
from gate.core.policy import GatePolicy
from gate.core.units import celsius_text
from gate.core.watch import ENDED_FOR, PAUSED_FOR_HEAT, Act, Cause, Watched, WatchState, heat_pause_text
from gate.services import policy_in_force
from gate.telling import Teller
from gate.watching import MachineWatch
from transcribe.engine_logs import log_cap, log_evidence
from transcribe.held import Held, HeldFor
from transcribe.supervisor import EngineProcess

__all__ = ["COMES_BACK_WHEN", "EngineWatch"]

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
JOIN_SECONDS = 10.0
UNLOOKED_LIMIT = 30  # seconds of the run; a look takes some milliseconds
# What stands in the way of its next start: the gate, and what transcribe/slot.py looks at before it.
COMES_BACK_WHEN = "it comes back by itself when the gate opens and memory pressure is within its limit"
COMES_BACK = f"The job keeps what it has read; {COMES_BACK_WHEN}."


class EngineWatch:
    """Starts with the engine and stops with it.

    `job_ref`: the job that the engine works for at the moment; `beside`: what works for it beside the engine.
    """

    def __init__(
        self, engine: EngineProcess, job_ref: Callable[[], str], beside: Callable[[], Held | None] = lambda: None
    ) -> None:
        self._engine = engine
        self._job_ref = job_ref
        self._beside = beside
        self._teller = Teller("engine")
        self._machine = MachineWatch(_policy())
        self._stopped = threading.Event()
        self._text = ""
        self._unlooked = 0
        self._is_paused = False  # by us, for heat; that it rests is over before the next look
        self._thread = threading.Thread(target=self._run, daemon=True, name="engine-watch")
        self._thread.start()

    @property
    def text(self) -> str:
        """Why the engine stands still or goes slowly, for people; empty while it works freely."""
        return self._text

    def expect_look(self) -> None:
        """The run calls this each second. A look may hang, as on a dead disk, and nobody would watch then.

        Counted by the run, so that a machine which stood still as a whole is not taken for that.
        """
        self._unlooked += 1
        if self._unlooked > UNLOOKED_LIMIT and not self._stopped.is_set():
            reason = f"the machine could not be looked at for {UNLOOKED_LIMIT} s, and unwatched it may not run"
            logger.error("%s; the engine is ended", reason)
            self._end(Watched(act=Act.END, reason=reason, state=WatchState(), cause=Cause.HEAT))

    def stop(self) -> None:
        """No look after this; a living engine goes on, so that it can end in order."""
        self._stopped.set()
        self._thread.join(JOIN_SECONDS)
        self._let_go()
        self._text = ""
        self._teller.goes_on("The paused engine has ended.")
        self._teller.finish()

    def _run(self) -> None:
        while not self._stopped.is_set():
            begun_at = time.monotonic()
            for act in (self._look, self._keep_facts):
                try:
                    act()
                except Exception:  # the next look may succeed, and without a watch nothing would pause the engine
                    logger.exception("a look of the engine's watch failed")
            self._unlooked = 0
            self._stopped.wait(max(0.0, begun_at + LOOK_SECONDS - time.monotonic()))

    def _keep_facts(self) -> None:
        """What is told of its death, and a log of bearable size: after the look, which comes first."""
        self._engine.witness.look()
        log_cap(self._engine.log.path)

    def _look(self) -> None:
        watched = self._machine.look(time.monotonic())
        if watched is None:
            return
        if watched.act is Act.END:
            self._end(watched)
            return
        self._follow()
        if watched.act is Act.PAUSE:
            self._teller.paused(self._whose(), watched, self._job_ref())
        elif watched.act is Act.RESUME:
            self._teller.goes_on(f"It goes on: {watched.reason}.")
        self._text = self._told(watched)
        if watched.rest_share:
            self._rest(watched.rest_share)

    def _follow(self) -> None:
        """At each look, not only at the change: a signal that failed is owed, and whoever woke it, it is as hot."""
        if self._machine.is_paused:
            self._is_paused = True
            self._hold(HeldFor.HEAT_PAUSE)
        elif self._is_paused:
            self._let_go()
            self._is_paused = False

    def _end(self, watched: Watched) -> None:
        self._engine.end_for_machine(f"{ENDED_FOR[watched.cause or Cause.MEMORY]}: {watched.reason}.")
        if beside := self._beside():
            beside.hold(HeldFor.HEAT_PAUSE)  # the run ends it as soon as it hears
        self._teller.goes_on("It was ended.")
        log = self._engine.log
        said = log_evidence(log.tail(), log.path.name)
        self._teller.ended(self._whose(), watched, self._job_ref(), recovery=COMES_BACK, evidence=[said])
        self._text = ""
        self._stopped.set()

    def _rest(self, share: float) -> None:
        self._hold(HeldFor.HEAT_REST)
        try:
            self._stopped.wait(share * LOOK_SECONDS)
        finally:
            self._let_go()

    def _hold(self, what: HeldFor) -> None:
        for process in self._all():
            process.hold(what)

    def _let_go(self) -> None:
        for process in self._all():
            process.let_go()

    def _all(self) -> list[Held]:
        beside = self._beside()
        return [self._engine] if beside is None else [self._engine, beside]

    def _whose(self) -> str:
        return f"The engine of {self._job_ref()}"

    def _told(self, watched: Watched) -> str:
        if self._machine.is_paused:
            return f"{PAUSED_FOR_HEAT}: {heat_pause_text(watched.celsius, self._machine.policy)}"
        if watched.rest_share and watched.celsius is not None:
            seen = celsius_text(watched.celsius)
            return f"Resting {100 * watched.rest_share:.0f} % of the time for heat: {seen}"
        return ""


def _policy() -> GatePolicy:
    try:
        return policy_in_force()
    except DatabaseError:  # the settings' limits until it answers
        return gate_policy()
