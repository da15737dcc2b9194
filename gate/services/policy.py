"""The limits in force: settings, and what administrators chose about sensors. Every change is kept."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime

from django.db import transaction

from gate.conf import gate_policy, host_id
from gate.core.policy import GatePolicy
from gate.models import GateState, PolicyChange, SensorChoice, SensorUse

__all__ = ["policy_in_force", "policy_note", "sensor_choose"]

ENVIRONMENT = "environment"  # who changed a limit that differs at a start: settings come from there


def policy_in_force() -> GatePolicy:
    """The settings' limits with the sensors chosen in the panel: a pin there replaces the settings' pin."""
    base = gate_policy()
    choices = dict(SensorChoice.objects.filter(host=host_id()).values_list("sensor", "use"))
    chosen = [sensor for sensor, use in choices.items() if use == SensorUse.PINNED]
    ignored = {sensor for sensor, use in choices.items() if use == SensorUse.IGNORED}
    pinned = chosen[0] if chosen else (base.pinned_sensor if base.pinned_sensor not in ignored else None)
    all_ignored = {*base.ignored_sensors, *ignored} - {pinned}
    return replace(base, pinned_sensor=pinned, ignored_sensors=tuple(sorted(all_ignored)))


def policy_note(who: str = ENVIRONMENT, *, policy: GatePolicy | None = None) -> list[PolicyChange]:
    """Keep each limit that differs from what it was when last noted. The very first look keeps no change.

    `policy`: the one in force, where the caller has read it already.
    """
    in_force = policy_in_force() if policy is None else policy
    now = {name: _text(value) for name, value in asdict(in_force).items()}
    with transaction.atomic():
        state, _ = GateState.objects.get_or_create(host=host_id())
        before: dict[str, str] = state.policy
        if before == now:
            return []
        state.policy = now
        state.save(update_fields=["policy", "updated_at"])
        changed = [name for name in now if before and before.get(name, "") != now[name]]
        return PolicyChange.objects.bulk_create(_change(name, before.get(name, ""), now[name], who) for name in changed)


def sensor_choose(sensor: str, use: SensorUse | None, *, who: str) -> None:
    """Pin or ignore a sensor, or (None) forget what was chosen; pinning one unpins any other."""
    with transaction.atomic():
        mine = SensorChoice.objects.filter(host=host_id())
        mine.filter(sensor=sensor).delete()
        if use is SensorUse.PINNED:
            mine.filter(use=SensorUse.PINNED).delete()
        if use is not None:
            SensorChoice.objects.create(host=host_id(), sensor=sensor, use=use, who=who, at=datetime.now(UTC))
        policy_note(who)


def _change(name: str, before: str, after: str, who: str) -> PolicyChange:
    return PolicyChange(host=host_id(), at=datetime.now(UTC), who=who, name=name, before=before, after=after)


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
