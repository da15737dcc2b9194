"""A disk that is full: the real thing, a small tmpfs in a mount namespace of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.backups import Made
from tests.support.panel import BASE_DIR, Panel

pytestmark = pytest.mark.usefixtures("needs_root", "namespaces")


def on_small_disk(panel: Panel, where: Path, size: str, command: list[str]) -> tuple[int, str, list[str]]:
    """Run it with a tmpfs at `where`; exit code, what was said, and the files that lie there afterwards."""
    where.mkdir(exist_ok=True)
    script = (
        'mount -t tmpfs -o size="$1" tmpfs "$2"; where=$2; shift 2; "$@"; code=$?; find "$where" -type f; exit $code'
    )
    words = ["unshare", "-m", "bash", "-c", script, "bash", size, str(where), sys.executable, *command]
    done = subprocess.run(words, cwd=BASE_DIR, env=panel.env, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stderr, done.stdout.splitlines()


@pytest.mark.parametrize("size", ["100k", "500k", "1000k"])
def test_a_backup_to_a_full_disk_keeps_nothing(made: Made, tmp_path: Path, size: str) -> None:
    """No room for the database, for the recordings, for the last block."""
    where = tmp_path / "stick"
    code, said, files = on_small_disk(made.panel, where, size, ["manage.py", "backup", str(where)])
    assert (code, files) == (1, [])
    assert "full" in said or "No space left" in said
    assert "Nothing was kept" in said
    assert "Traceback" not in said


def test_a_disk_with_room_takes_it(made: Made, tmp_path: Path) -> None:
    where = tmp_path / "stick"
    code, said, files = on_small_disk(made.panel, where, "4m", ["manage.py", "backup", str(where)])
    assert (code, len([line for line in files if line.startswith(str(where)) and line.endswith(".tar")])) == (0, 1), (
        said
    )


def test_a_restore_is_refused_where_it_would_not_fit(made: Made, empty: Panel) -> None:
    empty.env["J5A_DISK_RESERVE_MIB"] = "9000000"
    done = empty.manage("restore", str(made.backup))
    assert done.returncode == 1
    assert "Free some space; nothing was changed." in done.stderr
    assert not list(empty.data_dir.rglob("*.mp3"))


# Somebody else takes the room after the look at it.
FILLS_UP = """
import django, sys
django.setup()
from django.core.management import call_command
from j5a_admin.backup import restore
restore._space_check = lambda *_: None
call_command("restore", sys.argv[1])
"""


@pytest.mark.parametrize("size", ["100k", "600k"])
def test_a_restore_on_a_disk_that_fills_up_meanwhile_keeps_nothing(made: Made, empty: Panel, size: str) -> None:
    empty.env["DJANGO_SETTINGS_MODULE"] = "j5a_admin.settings"
    code, said, files = on_small_disk(empty, empty.data_dir, size, ["-c", FILLS_UP, str(made.backup)])
    assert code == 1, said
    assert "could not be restored: No space left on device" in said
    assert {Path(line).name for line in files} <= {"secret_key", "host_id", "data.lock"}
