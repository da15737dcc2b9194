"""Permissions of the pages about the machine."""

from __future__ import annotations

VIEW_GATE = "gate.view_gatestate"
OPERATE_GATE = "gate.operate_gate"
VIEW_INCIDENT = "gate.view_incident"
HANDLE_INCIDENT = "gate.handle_incident"
RESOLVE_INCIDENT = "gate.resolve_incident"

__all__ = ["HANDLE_INCIDENT", "OPERATE_GATE", "RESOLVE_INCIDENT", "VIEW_GATE", "VIEW_INCIDENT"]
