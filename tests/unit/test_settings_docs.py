"""Every J5A_ variable that the settings read is explained in docs/settings.md, and none is explained that is not."""

from __future__ import annotations

import re
from pathlib import Path

BASE = Path(__file__).resolve().parents[2]


def test_it_explains_every_variable() -> None:
    source = (BASE / "j5a_admin" / "settings.py").read_text()
    read = {f"J5A_{name}" for name in re.findall(r'env_\w+\(\s*"([A-Z_]+)"', source)}
    told = set(re.findall(r"^\| `(J5A_[A-Z_]+)`", (BASE / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert read == told
    assert len(read) > 20
