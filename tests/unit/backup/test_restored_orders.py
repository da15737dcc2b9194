"""A crafted backup runs nothing: rows that django-q2 would run or unpickle do not come out of it."""

from __future__ import annotations

import base64
import pickle
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.backups import Made, forged, with_database
from tests.support.panel import Panel

SCHEDULE = (
    "INSERT INTO django_q_schedule (func, args, schedule_type, repeats, next_run) "
    "VALUES ('os.system', '\"touch {mark}\"', 'O', -1, '2020-01-01')"
)
QUEUED = "INSERT INTO django_q_ormq (key, payload, lock) VALUES ('j5a', 'crafted', '2020-01-01')"
TASK = (
    "INSERT INTO django_q_task (id, name, func, args, kwargs, result, started, stopped, success, attempt_count) "
    "VALUES ('1', 'n', 'f', '{bomb}', '{bomb}', '{bomb}', '2020-01-01', '2020-01-01', 1, 1)"
)
SESSION = "INSERT INTO django_session VALUES ('known', 'data', '2099-01-01')"


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (f"touch {self.mark}",)


def test_it_drops_rows_that_would_run_or_open_doors(made: Made, empty: Panel, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    bomb = base64.b64encode(pickle.dumps(Bomb(mark))).decode()

    def craft(rows: sqlite3.Connection) -> None:
        for statement in (SCHEDULE, QUEUED, TASK, SESSION):
            rows.execute(statement.replace("{mark}", str(mark)).replace("{bomb}", bomb))

    done = empty.manage("restore", str(forged(made, tmp_path, with_database(tmp_path, craft))))
    assert done.returncode == 0, done.stderr
    assert not mark.exists()
    for table in ("django_q_schedule", "django_q_ormq", "django_q_task", "django_session"):
        assert empty.rows(f"SELECT 1 FROM {table}") == [], table


@pytest.mark.parametrize(
    "kind",
    [
        "CREATE TRIGGER again AFTER INSERT ON transcribe_jobevent BEGIN SELECT 1; END",
        "CREATE VIEW other AS SELECT 1",
    ],
)
def test_it_refuses_a_database_with_code_of_its_own(made: Made, empty: Panel, tmp_path: Path, kind: str) -> None:
    change = with_database(tmp_path, lambda rows: rows.execute(kind))
    done = empty.manage("restore", str(forged(made, tmp_path, change)))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "which no panel makes" in done.stderr
    assert not (empty.data_dir / "j5a.sqlite3").exists()


def test_a_backup_does_not_take_them_along(copied: Panel, tmp_path: Path) -> None:
    with closing(sqlite3.connect(copied.data_dir / "j5a.sqlite3", isolation_level=None)) as rows:
        rows.execute(SCHEDULE.replace("{mark}", "planted"))
    assert copied.manage("backup", str(tmp_path / "out.tar")).returncode == 0
    assert b"planted" not in (tmp_path / "out.tar").read_bytes()
