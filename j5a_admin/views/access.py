"""Permissions of the pages about the machine."""

from __future__ import annotations

VIEW_GATE = "gate.view_gatestate"
OPERATE_GATE = "gate.operate_gate"

__all__ = ["OPERATE_GATE", "VIEW_GATE"]
