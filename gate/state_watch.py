"""The sampler's look for what is wrong and stays so: a lost or flatlined sensor, a stale or hung lock; and for
pauses that are over though nobody said it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gate.core.checks import unread_temperature
from gate.core.errors import LockError
from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.occurrence import Evidence, Occurrence
from gate.core.readings import Judgement, LockReading, LockState, TemperatureReading, Vitals
from gate.core.rhythm import Rhythm
from gate.core.sensor_memory import ENUMERATE_EVERY_SECONDS
from gate.core.thermal import sensor_class
from gate.services import incidents_hold, lock_status, reports_bring_in

__all__ = ["StateWatch", "bad_sensors"]

LOOK_SECONDS = 10.0
# All sensors are read anew once a minute: one that is away for less may only have been skipped.
LOST_AFTER_SECONDS = ENUMERATE_EVERY_SECONDS
ALL_SENSORS = "all sensors"


class StateWatch:
    """`look` often; it looks every `LOOK_SECONDS`. Raises DatabaseError, and goes on at the next call."""

    def __init__(self) -> None:
        self._rhythm = Rhythm(LOOK_SECONDS)
        self._lost_since: float | None = None

    def look(self, vitals: Vitals, now: float) -> None:
        """`now` in unix seconds."""
        if not self._rhythm.is_due(now):
            return
        self._rhythm.done(now)  # a look that fails is no reason for the next one to come sooner
        reports_bring_in()
        self._note_lost(vitals.temperature, now)
        sensors = bad_sensors(vitals.temperature, lost_seconds=now - (self._lost_since or now), now=now)
        incidents_hold(IncidentKind.BAD_SENSOR, sensors, over="The sensor is back.")
        try:
            lock = lock_status()
        except (LockError, OSError):  # the gate says so; whether it is stale is not known
            return
        if not lock.is_live:  # a watch that was killed has not told the end of its pause
            incidents_hold(IncidentKind.THERMAL_PAUSE, (), over="Nothing heavy runs any more.")
        incidents_hold(IncidentKind.LOCK_STALE, _stale(lock, now), over=f"The lock is {lock.sentence}.")
        incidents_hold(IncidentKind.LOCK_HUNG, _hung(lock, now), over=f"The lock is {lock.sentence}.")

    def _note_lost(self, temperature: TemperatureReading, now: float) -> None:
        if unread_temperature(temperature) is None:
            self._lost_since = None
        elif self._lost_since is None or self._lost_since > now:  # the clock was set back
            self._lost_since = now


def bad_sensors(temperature: TemperatureReading, *, lost_seconds: float, now: float) -> list[Occurrence]:
    """No sensor decides for long though there is one; processor sensors that stand still. Others may be constants."""
    found = [
        Occurrence(
            kind=IncidentKind.BAD_SENSOR,
            subject=sensor.id,
            summary=f"{sensor.id} {sensor.reason} ({sensor.celsius} °C all the time), so it does not decide.",
            at=now,
            causes=("The sensor or its driver is stuck.",),
        )
        for sensor in temperature.sensors
        if sensor.judgement is Judgement.FLATLINED and sensor_class(*_chip_and_label(sensor.id)) is not None
    ]
    if lost_seconds >= LOST_AFTER_SECONDS:
        missing = unread_temperature(temperature)
        problem = "none answers" if missing is None else missing.why
        found.append(
            Occurrence(
                kind=IncidentKind.BAD_SENSOR,
                subject=ALL_SENSORS,
                summary=f"No temperature sensor decides: {problem}. The gate blocks until one does.",
                at=now,
                causes=(
                    "Its driver hangs in a question to the device."
                    if temperature.is_silent
                    else "The sensor, its kernel module, or what pins it is gone.",
                ),
            )
        )
    return found


def _chip_and_label(sensor_id: str) -> tuple[str, str]:
    chip, _, label = sensor_id.partition("/")
    return chip, label


def _stale(lock: LockReading, now: float) -> Iterator[Occurrence]:
    if lock.is_proved_stale:
        yield _of_lock(IncidentKind.LOCK_STALE, lock, now)


def _hung(lock: LockReading, now: float) -> Iterator[Occurrence]:
    if lock.state is LockState.HUNG:
        yield _of_lock(IncidentKind.LOCK_HUNG, lock, now)


def _of_lock(kind: IncidentKind, lock: LockReading, now: float) -> Occurrence:
    proof = Evidence(title="What the lock's files and the kernel say", text="\n".join(lock.proof))
    job_ref = "" if lock.holder is None else lock.holder.job_ref
    return Occurrence(
        kind=kind, subject="lock", summary=f"The lock is {lock.sentence}.", at=now, job_ref=job_ref, evidence=(proof,)
    )
