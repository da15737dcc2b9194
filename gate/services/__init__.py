"""Ask the gate, hold the lock. Every face of the gate (panel, worker, commands) goes through these."""

from __future__ import annotations

from gate.services.lock import lock_acquire, lock_clear_stale, lock_prepare, lock_release, lock_status
from gate.services.verdicts import PURPOSE_START, gate_evaluate, gate_preview, snapshot_take

__all__ = [
    "PURPOSE_START",
    "gate_evaluate",
    "gate_preview",
    "lock_acquire",
    "lock_clear_stale",
    "lock_prepare",
    "lock_release",
    "lock_status",
    "snapshot_take",
]
