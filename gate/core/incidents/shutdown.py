"""How the run before ended, from what its black box says and the boot of now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gate.core.blackbox import Look, Recording
from gate.core.units import bytes_text, celsius_text, seconds_text

__all__ = ["Ending", "UncleanEnd", "look_line", "unclean_end"]

LAST_SECONDS = 60.0


class Ending(StrEnum):
    MACHINE_DOWN = "the machine went down"
    KILLED = "the panel's sampler was killed"
    UNKNOWN = "the sampler ended without its mark"  # no boot id to compare


@dataclass(frozen=True, kw_only=True)
class UncleanEnd:
    """`boot_id`: of the boot that went down; None where the machine may have stayed up."""

    ending: Ending
    summary: str
    causes: tuple[str, ...]
    last_minute: tuple[Look, ...]
    last_at: float
    job_ref: str
    boot_id: str | None


_CAUSES = {
    Ending.MACHINE_DOWN: (
        "The boot is another one: a power cut, a freeze with a forced restart, or a restart that did not wait for "
        "the panel to stop."
    ),
    Ending.KILLED: "The machine is in the same boot: the sampler was killed (kill -9, out of memory) or it crashed.",
    Ending.UNKNOWN: "This system tells no boot id, so a kill cannot be told from a restart.",
}


def unclean_end(previous: Recording | None, *, host: str, boot_id: str | None, now: float) -> UncleanEnd | None:
    """None when there was no run before, it ended in order, or it was another machine's (a copied directory)."""
    if previous is None or previous.is_clean or previous.run.host != host:
        return None
    ending = _ending(previous.run.boot_id, boot_id)
    last_at = previous.last_at
    return UncleanEnd(
        ending=ending,
        summary=_summary(ending, previous, now - last_at),
        causes=(_CAUSES[ending],),
        last_minute=tuple(look for look in previous.looks if look.at > last_at - LAST_SECONDS),
        last_at=last_at,
        job_ref=previous.looks[-1].job_ref if previous.looks else "",
        boot_id=previous.run.boot_id if ending is Ending.MACHINE_DOWN else None,
    )


def _ending(before: str | None, now: str | None) -> Ending:
    if before is None or now is None:
        return Ending.UNKNOWN
    return Ending.KILLED if before == now else Ending.MACHINE_DOWN


def _summary(ending: Ending, previous: Recording, gap_seconds: float) -> str:
    last = previous.looks[-1] if previous.looks else None
    said = f"Unclean end: {ending}. Nothing was recorded for {seconds_text(gap_seconds)} until this start."
    if last is None:
        return f"{said} It had not taken a reading yet."
    work = last.work or "nothing"
    # What runs is asked every five seconds, the sensors each second.
    return f"{said} Within seconds of the last reading {work} ran, and the lock was {last.lock or 'not known'}."


def look_line(look: Look, at_text: str) -> str:
    """One line for people: time, temperature, memory, swap, load."""
    parts = [
        at_text,
        "no temperature" if look.celsius is None else celsius_text(look.celsius),
        "memory not readable" if look.available_bytes is None else f"{bytes_text(look.available_bytes)} available",
        "" if look.swap_used_bytes is None else f"swap {bytes_text(look.swap_used_bytes)}",
        "" if look.load1 is None else f"load {look.load1:.2f}",
        look.work,
    ]
    return "  ".join(part for part in parts if part)
