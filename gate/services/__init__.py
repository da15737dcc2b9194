"""Ask the gate, hold the lock. Every face of the gate (panel, worker, commands) goes through these."""

from __future__ import annotations

from gate.services.heat import heat_file_trip, heat_latch_keep
from gate.services.history import history_prune, history_summarise
from gate.services.holder import HolderStop, holder_refusal, holder_stop
from gate.services.incidents import (
    evidence_add,
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
    lock_survivor_name,
)
from gate.services.policy import policy_in_force, policy_note, sensor_choose
from gate.services.pressure import memory_pressure_refusal
from gate.services.protection import TimeSpan, protect_paths, protect_spans, protected_paths, protected_spans
from gate.services.records import records_prune
from gate.services.reporting import incident_report, incident_settled, incidents_hold, reports_bring_in
from gate.services.verdicts import PURPOSE_START, gate_evaluate, gate_preview, gate_preview_many, snapshot_take

__all__ = [
    "PURPOSE_START",
    "HolderStop",
    "TimeSpan",
    "evidence_add",
    "gate_evaluate",
    "gate_preview",
    "gate_preview_many",
    "heat_file_trip",
    "heat_latch_keep",
    "history_prune",
    "history_summarise",
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
    "lock_survivor_name",
    "memory_pressure_refusal",
    "note_add",
    "policy_in_force",
    "policy_note",
    "protect_paths",
    "protect_spans",
    "protected_paths",
    "protected_spans",
    "records_prune",
    "reports_bring_in",
    "sensor_choose",
    "snapshot_take",
]
