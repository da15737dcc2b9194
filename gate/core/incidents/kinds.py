"""The kinds of incident: what each is called, why it happens, what to do, and whether its end can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["KERNEL_KINDS", "IncidentKind", "KindFacts", "kind_facts"]


class IncidentKind(StrEnum):
    """Opened by the system, the last one by a person."""

    GATE_BLOCKED = "gate_blocked"
    JOB_WAITS = "job_waits"
    THERMAL_PAUSE = "thermal_pause"
    THERMAL_END = "thermal_end"
    MEMORY_END = "memory_end"
    OOM_KILL = "oom_kill"
    ENGINE_HUNG = "engine_hung"
    ENGINE_LOST_TWICE = "engine_lost_twice"
    LOCK_STALE = "lock_stale"
    LOCK_HUNG = "lock_hung"
    WORKER_LOST = "worker_lost"
    UNCLEAN_SHUTDOWN = "unclean_shutdown"
    STALL = "stall"
    BAD_SENSOR = "bad_sensor"
    REPORTED = "reported"


@dataclass(frozen=True, kw_only=True)
class KindFacts:
    """`settles`: the system sees when the cause is over and resolves it; otherwise a person does. `asks_kernel`: its
    log may tell why, and is asked when the incident is there.
    """

    title: str
    cause: str
    advice: str
    settles: bool = False
    asks_kernel: bool = False


_FACTS: dict[IncidentKind, KindFacts] = {
    IncidentKind.GATE_BLOCKED: KindFacts(
        title="Gate blocked for long",
        cause="A check of the gate has said no for so long that a waiting job should be looked at.",
        advice="Open the page Gate: each blocking check says what would unblock it. The job starts by itself then.",
        settles=True,
    ),
    IncidentKind.JOB_WAITS: KindFacts(
        title="Job waits for long",
        cause="Not the gate but a disk, a folder, the database or memory pressure has kept a job waiting for so long.",
        advice="The summary says what it is and what to do. The job starts by itself when that is mended.",
        settles=True,
    ),
    IncidentKind.THERMAL_PAUSE: KindFacts(
        title="Paused for heat",
        cause="The processor reached the trip mark while a heavy process ran, so the process was paused.",
        advice="Nothing at once: it goes on when the machine has cooled. If it comes back often, look at fan and dust.",
        settles=True,
        asks_kernel=True,
    ),
    IncidentKind.THERMAL_END: KindFacts(
        title="Ended for heat",
        cause="Pausing did not cool the machine, it was too hot to wait, or its sensors could not be read any more, so "
        "the heavy process was ended.",
        advice="Where the sensors could not be read, open the page Sensors; else check that the fan turns and that air "
        "gets in. A job goes on from its last checkpoint.",
        asks_kernel=True,
    ),
    IncidentKind.MEMORY_END: KindFacts(
        title="Ended for want of memory",
        cause="While a heavy process ran, available memory fell below the limit, or all programs waited for memory for "
        "too long, so it was ended before the kernel did.",
        advice="Close large programs, or choose a smaller model. The page Gate names the largest programs.",
        asks_kernel=True,
    ),
    IncidentKind.OOM_KILL: KindFacts(
        title="Killed by the kernel for memory",
        cause="Memory ran out and the kernel's out-of-memory killer chose the heavy process.",
        advice="Choose a smaller model, or raise J5A_MARGIN_GIB so that the gate waits for more memory.",
        asks_kernel=True,
    ),
    IncidentKind.ENGINE_HUNG: KindFacts(
        title="Engine hung",
        cause="The engine lived but said nothing for too long, so its process group was killed.",
        advice="Read the end of its log. If slow windows are normal here, raise J5A_ENGINE_HUNG_SECONDS.",
        asks_kernel=True,
    ),
    IncidentKind.ENGINE_LOST_TWICE: KindFacts(
        title="Engine lost twice",
        cause="The same work ended its engine twice, or worker or machine at the same place of it. A chunk is set "
        "aside then; loading a model is tried for longer.",
        advice="Read the end of the engine's log. Retry the job, with a smaller model if memory was short.",
        asks_kernel=True,
    ),
    IncidentKind.LOCK_STALE: KindFacts(
        title="Stale lock found",
        cause="A holder of the lock ended without giving it back, most likely because it was killed.",
        advice="Nothing: the next start takes it over. It can be cleared on the page Lock.",
        settles=True,
    ),
    IncidentKind.LOCK_HUNG: KindFacts(
        title="Lock holder hung",
        cause="The holder of the lock lives but has given no sign of life for too long.",
        advice="Open the page Lock and look at the holder's process. Stop it there if it does no work any more.",
        settles=True,
    ),
    IncidentKind.WORKER_LOST: KindFacts(
        title="Worker lost",
        cause="The process that ran a job ended in the middle of it: killed, or it crashed.",
        advice="Look into the panel's log and the kernel lines for the time. The job was queued again by itself.",
        asks_kernel=True,
    ),
    IncidentKind.UNCLEAN_SHUTDOWN: KindFacts(
        title="Unclean shutdown",
        cause="The sampler's black box ends without the mark that a stop in order leaves.",
        advice="Look at the last readings and the kernel lines: heat, memory, or nothing at all (power).",
    ),
    IncidentKind.STALL: KindFacts(
        title="Machine stalled",
        cause="The sampler, which looks every second, did not come to look for a while.",
        advice="Look at memory and swap before the gap. A laptop should not sleep while jobs wait.",
    ),
    IncidentKind.BAD_SENSOR: KindFacts(
        title="Bad sensor",
        cause="A temperature sensor that was there is lost, or stands still while the load moves.",
        advice="Open the page Sensors: it says whether one is gone (load its kernel module again, or pin a sensor that "
        "works) or hangs (restart the machine).",
        settles=True,
    ),
    IncidentKind.REPORTED: KindFacts(
        title="Reported by a person",
        cause="A person has seen something and wrote it down.",
        advice="Add what you know as notes, and resolve it with what was done.",
    ),
}

KERNEL_KINDS = frozenset(kind for kind, facts in _FACTS.items() if facts.asks_kernel)


def kind_facts(kind: IncidentKind) -> KindFacts:
    return _FACTS[kind]
