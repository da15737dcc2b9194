"""The commands in docs/backup.md do what it says there, one after the other."""

from __future__ import annotations

import re
import shlex

from tests.support.backups import Made
from tests.support.panel import BASE_DIR, Panel


def test_the_documented_commands_work(made: Made, empty: Panel) -> None:
    text = (BASE_DIR / "docs" / "backup.md").read_text()
    lines = re.findall(r"^ +\.venv/bin/python manage\.py (.+)$", text, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["backup", "restore"]
    stick = empty.root / "stick"
    stick.mkdir()
    for panel, line in zip((made.panel, empty), lines, strict=True):
        written = next(stick.glob("*.tar"), stick)
        words = [str(written) if word.startswith("/mnt/stick") else word for word in shlex.split(line)]
        done = panel.manage(*words)
        assert done.returncode == 0, (line, done.stderr)
