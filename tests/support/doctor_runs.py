"""The doctor as a person calls it: a process of its own, on a data directory that may be empty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from j5a_admin.doctor.findings import Finding, Status
from tests.support.panel import BASE_DIR, free_port

# So little that every machine which runs this suite has it.
UNDEMANDING = {"J5A_MARGIN_GIB": "0.5", "J5A_DISK_RESERVE_MIB": "0", "J5A_UPLOAD_MAX_MIB": "1"}


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def findings(self) -> dict[str, Finding]:
        """By subject, from --json; of several with one subject the last."""
        return {finding.subject: finding for finding in self.all_findings}

    @property
    def all_findings(self) -> list[Finding]:
        return [_finding(line) for line in json.loads(self.out)["findings"]]

    def named(self, subject: str) -> list[Finding]:
        return [finding for finding in self.all_findings if finding.subject == subject]


def run_doctor(data_dir: Path, *words: str, **environment: str) -> Answer:
    own = {"J5A_DATA_DIR": str(data_dir), "J5A_LOCK_DIR": str(data_dir / "locks"), "J5A_PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", *words],
        cwd=BASE_DIR,
        env={**os.environ, **UNDEMANDING, **own, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def migrate(data_dir: Path) -> Path:
    """A data directory with its database."""
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=BASE_DIR,
        env={**os.environ, "J5A_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (data_dir / "j5a.sqlite3").chmod(0o600)
    return data_dir


def _finding(line: dict[str, Any]) -> Finding:
    return Finding(
        status=Status(line["status"]), subject=line["subject"], sentence=line["sentence"], advice=line["advice"]
    )
