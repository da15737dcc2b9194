"""Occurrences for tests that need one and do not care which."""

from __future__ import annotations

from typing import Any

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.measures import Measure
from gate.core.incidents.occurrence import Evidence, Occurrence

NOON = 1_760_000_000.0
HOT = Measure(name="processor temperature", value=92.0, limit=90.0, unit="°C", source="coretemp/Package id 0")


def occurrence(**values: Any) -> Occurrence:
    facts: dict[str, Any] = {
        "kind": IncidentKind.THERMAL_END,
        "subject": "job 7",
        "summary": "It was too hot and the process was ended.",
        "at": NOON,
        "measures": (HOT,),
        "job_ref": "job 7",
        "evidence": (Evidence(title="End of its log", text="last line", file_name="engine-7.log"),),
    }
    return Occurrence(**{**facts, **values})
