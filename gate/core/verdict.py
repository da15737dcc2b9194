"""The answer of the gate: five results, always, in the protocol's order."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from gate.core.requirement import Requirement

__all__ = ["CheckName", "CheckResult", "Outcome", "Verdict"]


class Outcome(StrEnum):
    PASS = "pass"  # noqa: S105 - an outcome, not a password
    WARN = "warn"
    BLOCK = "block"
    UNKNOWN = "unknown"  # not readable: blocks

    @property
    def blocks(self) -> bool:
        return self in (Outcome.BLOCK, Outcome.UNKNOWN)


class CheckName(StrEnum):
    """The five, in order."""

    MEMORY = "memory"
    TEMPERATURE = "temperature"
    PROCESSES = "whisper processes"
    ACTIVITY = "activity"
    LOCK = "lock"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check. `reading` and `limit` are in `unit`; `unblock` says what would change the answer."""

    check: CheckName
    outcome: Outcome
    reading: float | None
    limit: float | None
    unit: str
    source: str
    summary: str
    unblock: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`latched` is the state of the heat latch after this verdict; the caller keeps it for the next one."""

    results: tuple[CheckResult, ...]
    requirement: Requirement
    taken_at: float  # unix seconds
    latched: bool
    never_passes: bool

    @property
    def blocking(self) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.results if result.outcome.blocks)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.results if result.outcome is Outcome.WARN)

    @property
    def admitted(self) -> bool:
        return not self.blocking

    @property
    def waits_only_to_cool(self) -> bool:
        """Nothing but a temperature that was read stands in the way."""
        return [(r.check, r.outcome) for r in self.blocking] == [(CheckName.TEMPERATURE, Outcome.BLOCK)]

    @property
    def reason(self) -> str:
        """One plain sentence: what stands in the way, with its figures; or that nothing does."""
        if self.blocking:
            first, *others = self.blocking
            also = f" Also: {' and '.join(result.check for result in others)}." if others else ""
            return f"Blocked by {first.check}: {first.summary}.{also}"
        if self.warnings:
            return f"Admitted, with a warning: {'; '.join(result.summary for result in self.warnings)}."
        return "Admitted: all five checks pass."

    @property
    def reason_and_advice(self) -> str:
        """What stands in the way, and what would help, if something would."""
        return f"{self.reason} {self.advice}".strip()

    @property
    def advice(self) -> str:
        """What would unblock it; empty when nothing blocks."""
        return " ".join(result.unblock for result in self.blocking if result.unblock)

    @property
    def fingerprint(self) -> str:
        """Equal for verdicts that say the same, whatever the figures."""
        outcomes = ",".join(result.outcome for result in self.results)
        return f"{self.requirement.model}:{outcomes}"

    def result(self, check: CheckName) -> CheckResult:
        return next(result for result in self.results if result.check is check)

    def to_json_dict(self) -> dict[str, Any]:
        """For storage; `from_json_dict` gives an equal verdict back."""
        return asdict(self) | {"admitted": self.admitted, "reason": self.reason}

    @classmethod
    def from_json_dict(cls, data: dict[str, Any]) -> Verdict:
        return cls(
            results=tuple(_result_from(raw) for raw in data["results"]),
            requirement=Requirement(**data["requirement"]),
            taken_at=data["taken_at"],
            latched=data["latched"],
            never_passes=data["never_passes"],
        )


def _result_from(raw: dict[str, Any]) -> CheckResult:
    changed = {
        "check": CheckName(raw["check"]),
        "outcome": Outcome(raw["outcome"]),
        "evidence": tuple(raw["evidence"]),
    }
    return CheckResult(**(raw | changed))
