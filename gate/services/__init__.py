"""Ask the gate, hold the lock. Every face of the gate (panel, worker, commands) goes through these."""

from __future__ import annotations

from gate.services.heat import heat_latch_trip
from gate.services.holder import HolderStop, holder_refusal, holder_stop
from gate.services.lock import (
    lock_acquire,
    lock_adopt,
    lock_clear_stale,
    lock_give_back,
    lock_prepare,
    lock_publish,
    lock_release,
    lock_resume,
    lock_status,
)
from gate.services.policy import policy_in_force, policy_note, sensor_choose
from gate.services.verdicts import PURPOSE_START, gate_evaluate, gate_preview, gate_preview_many, snapshot_take

__all__ = [
    "PURPOSE_START",
    "HolderStop",
    "gate_evaluate",
    "gate_preview",
    "gate_preview_many",
    "heat_latch_trip",
    "holder_refusal",
    "holder_stop",
    "lock_acquire",
    "lock_adopt",
    "lock_clear_stale",
    "lock_give_back",
    "lock_prepare",
    "lock_publish",
    "lock_release",
    "lock_resume",
    "lock_status",
    "policy_in_force",
    "policy_note",
    "sensor_choose",
    "snapshot_take",
]
