"""The audit of scripts: heavy-model launches past the gate, and what else breaks the rule of one at a time."""

from __future__ import annotations

from gate.core.audit.findings import RULES, AuditReport, Finding
from gate.core.audit.scan import audit_paths

__all__ = ["RULES", "AuditReport", "Finding", "audit_paths"]
