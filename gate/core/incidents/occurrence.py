"""One thing that went wrong, as the part of the system that saw it tells it. Survives a file (JSON) unchanged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.measures import Measure

__all__ = ["EVIDENCE_TEXT_LIMIT_CHARS", "Evidence", "Occurrence"]

# The last output of an engine is 4 KiB (transcribe.supervisor.TAIL_BYTES); forty kernel lines fit, too.
EVIDENCE_TEXT_LIMIT_CHARS = 16_384


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A piece of text with its title. `file_name`: a log in the log directory that must be kept with it."""

    title: str
    text: str
    file_name: str = ""

    def bounded(self) -> Evidence:
        """The end of a text that is too long: what came last tells most."""
        if len(self.text) <= EVIDENCE_TEXT_LIMIT_CHARS:
            return self
        return Evidence(title=self.title, text=f"…{self.text[-EVIDENCE_TEXT_LIMIT_CHARS:]}", file_name=self.file_name)


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """`subject` tells causes of one kind apart: the check, the sensor, the chunk. `at` is in unix seconds."""

    kind: IncidentKind
    subject: str
    summary: str
    at: float
    measures: tuple[Measure, ...] = ()
    job_ref: str = ""
    causes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    recovery: str = ""
    settled: bool = False  # over already when it is told: it opens resolved

    def to_json_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json_dict(cls, data: dict[str, Any]) -> Occurrence:
        """Raise ValueError, TypeError or KeyError for anything that `to_json_dict` did not write."""
        changed = {
            "kind": IncidentKind(data["kind"]),
            "measures": tuple(Measure.from_json_dict(raw) for raw in data["measures"]),
            "evidence": tuple(Evidence(**raw) for raw in data["evidence"]),
            "causes": tuple(data["causes"]),
        }
        return cls(**(data | changed))
