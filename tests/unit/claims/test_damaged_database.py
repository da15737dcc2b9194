"""A start on a damaged database is one sentence: the file, the cause and the next step."""

from __future__ import annotations

import pytest

from tests.support.panel import Panel


@pytest.mark.parametrize(("begin", "end"), [(0, 4096), (4096, 200_000), (100, 110)])
def test_it_names_file_cause_and_next_step(copied: Panel, begin: int, end: int) -> None:
    path = copied.data_dir / "j5a.sqlite3"
    data = bytearray(path.read_bytes())
    data[begin:end] = b"\xa5" * (end - begin)
    path.write_bytes(data)
    done = copied.manage("prepare")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    for text in (str(path), "is damaged", "restore the last backup"):
        assert text in done.stderr
