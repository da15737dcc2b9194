"""Ask the gate, hold the lock. Every face of the gate (panel, worker, commands) goes through these."""

from __future__ import annotations

from gate.services.holder import HolderStop, holder_refusal, holder_stop
from gate.services.incidents import (
    incident_acknowledge,
    incident_open_or_join,
    incident_recovered,
    incident_reopen,
    incident_resolve,
    incidents_settle,
    note_add,
)
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
from gate.services.protection import protected_paths, protected_spans
from gate.services.reporting import incident_report, incident_settled, incidents_hold, reports_bring_in
from gate.services.verdicts import PURPOSE_START, gate_evaluate, gate_preview, gate_preview_many, snapshot_take

__all__ = [
    "PURPOSE_START",
    "HolderStop",
    "gate_evaluate",
    "gate_preview",
    "gate_preview_many",
    "holder_refusal",
    "holder_stop",
    "incident_acknowledge",
    "incident_open_or_join",
    "incident_recovered",
    "incident_reopen",
    "incident_report",
    "incident_resolve",
    "incident_settled",
    "incidents_hold",
    "incidents_settle",
    "lock_acquire",
    "lock_adopt",
    "lock_clear_stale",
    "lock_give_back",
    "lock_prepare",
    "lock_publish",
    "lock_release",
    "lock_resume",
    "lock_status",
    "note_add",
    "policy_in_force",
    "policy_note",
    "protected_paths",
    "protected_spans",
    "reports_bring_in",
    "sensor_choose",
    "snapshot_take",
]
