"""Scripts that tests write to real files and have audited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

from gate.core.audit import audit_paths

Audit = Callable[..., list[tuple[int, str]]]

GATED = "source ops/resource_safety_gate.sh\nacquire_whisper_lock large-v3 || exit 1\n"


def audited(folder: Path, text: str, *, name: str) -> list[tuple[int, str]]:
    """Line and rule of each finding; a problem fails the test."""
    path = folder / name
    path.write_text(dedent(text), encoding="utf-8")
    report = audit_paths([path])
    assert report.problems == ()
    assert report.files_read == 1
    return [(finding.line, finding.rule) for finding in report.findings]


def cases(text: str) -> list[str]:
    """Scripts written one below the other, with a line of three hyphens between them."""
    return text.strip("\n").split("\n---\n")
