"""The name under which the machine's rows are kept stays when the machine is renamed, and is another one on another."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machines import in_place_of
from tests.support.panel import BASE_DIR

SAY = "from django.conf import settings; print(settings.HOST_ID)"

pytestmark = pytest.mark.usefixtures("namespaces")


def machine(tmp_path: Path, digit: str) -> Path:
    """The /etc of a machine whose id is made of this digit; of one without an id when it is empty."""
    etc = tmp_path / f"etc-{digit}"
    etc.mkdir()
    for name in ("passwd", "group", "ld.so.cache"):  # what a program looks at when it starts
        if (Path("/etc") / name).is_file():
            shutil.copy(Path("/etc") / name, etc / name)
    if digit:
        (etc / "machine-id").write_text(f"{digit * 32}\n")
    return etc


def name_here(tmp_path: Path, hostname: str, etc: Path, **values: str) -> str:
    env = {**os.environ, "J5A_DATA_DIR": str(tmp_path / "var"), "J5A_SECRET_KEY": "x" * 50, **values}
    words = [*in_place_of({"/etc": etc}, hostname), sys.executable, "manage.py", "shell", "--no-imports", "-c", SAY]
    done = subprocess.run(words, cwd=BASE_DIR, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_renamed_machine_keeps_it_and_another_machine_gets_its_own(tmp_path: Path) -> None:
    here, other = machine(tmp_path, "a"), machine(tmp_path, "b")
    assert name_here(tmp_path, "studio", here) == "studio"
    kept = tmp_path / "var" / "host_id"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "a" * 32 not in kept.read_text()
    assert name_here(tmp_path, "cellar", here) == "studio"
    assert name_here(tmp_path, "cellar", other) == "cellar"
    assert name_here(tmp_path, "attic", other) == "cellar"


def test_a_host_name_that_is_no_text_is_written_out(tmp_path: Path) -> None:
    """The kernel takes any bytes."""
    here = machine(tmp_path, "a")
    assert name_here(tmp_path, os.fsdecode(b"caf\xe9"), here) == r"caf\udce9"
    assert name_here(tmp_path, "cellar", here) == r"caf\udce9"


def test_one_that_is_set_wins_and_is_not_kept(tmp_path: Path) -> None:
    here = machine(tmp_path, "a")
    assert name_here(tmp_path, "studio", here, J5A_HOST_ID="by hand") == "by hand"
    assert name_here(tmp_path, "studio", here) == "studio"
    assert name_here(tmp_path, "cellar", here, J5A_HOST_ID="by hand") == "by hand"
    assert name_here(tmp_path, "cellar", here) == "studio"


def test_where_the_machine_has_no_id_it_goes_with_the_data(tmp_path: Path) -> None:
    nobody = machine(tmp_path, "")
    assert name_here(tmp_path, "studio", nobody) == "studio"
    assert name_here(tmp_path, "cellar", nobody) == "studio"
    assert name_here(tmp_path, "cellar", machine(tmp_path, "a")) == "studio"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\n", b"a\x07b\n", b"x" * 300, b" studio\n"])
def test_a_file_that_holds_no_name_is_written_anew(tmp_path: Path, content: bytes) -> None:
    kept = tmp_path / "var" / "host_id"
    kept.parent.mkdir()
    kept.write_bytes(content)
    assert name_here(tmp_path, "studio", machine(tmp_path, "a")) == "studio"
    assert kept.read_text().splitlines()[0] == "studio"


def test_one_that_cannot_be_read_is_told_and_stays(tmp_path: Path) -> None:
    """As root's, made by a command with sudo: another name would hide the history and the hours of the queue."""
    kept = tmp_path / "var" / "host_id"
    kept.parent.mkdir()
    kept.write_text("studio\n")
    kept.chmod(0)
    no_override = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    env = {**os.environ, "J5A_DATA_DIR": str(kept.parent), "J5A_SECRET_KEY": "x" * 50}
    words = [*no_override, sys.executable, "manage.py", "check"]
    done = subprocess.run(words, cwd=BASE_DIR, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert f"{kept} cannot be used: Permission denied." in done.stderr
    assert "Traceback" not in done.stderr
    assert kept.read_text() == "studio\n"


def test_a_disk_without_room_leaves_no_half_of_it(tmp_path: Path) -> None:
    var = tmp_path / "var"
    env = {**os.environ, "J5A_DATA_DIR": str(var), "J5A_SECRET_KEY": "x" * 50}
    words = ["prlimit", "--fsize=0", sys.executable, "manage.py", "shell", "--no-imports", "-c", SAY]
    done = subprocess.run(words, cwd=BASE_DIR, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == socket.gethostname()
    assert list(var.rglob("*host_id*")) == []
