"""The environment is read strictly: a wrong value stops the start and says which."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.panel import BASE_DIR, free_port


def start_with(tmp_path: Path, *command: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Runs `check` where no command is given."""
    env = {**os.environ, "J5A_DATA_DIR": str(tmp_path / "var"), **values}
    words = [sys.executable, "manage.py", *(command or ("check",))]
    return subprocess.run(words, cwd=BASE_DIR, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("J5A_PORT", "eighty"),
        ("J5A_PORT", "70000"),
        ("J5A_MODELS_DIR", "~nobody-of-that-name/models"),
        ("J5A_WEIGHTS_URL", "http://[::1"),
        ("J5A_HTTPS", "maybe"),
        ("J5A_SUB_PATH", "j5a"),
        ("J5A_SUB_PATH", "/j 5a"),
        ("J5A_SUB_PATH", "https://example.org/j5a"),
        ("J5A_MARGIN_GIB", "nan"),
        ("J5A_MARGIN_GIB", "0"),
        ("J5A_RESET_CELSIUS", "80"),
        ("J5A_TIME_ZONE", "Mars"),
        ("J5A_WEIGHTS_URL", "foo"),
        ("J5A_HOST_ID", "a\x07b"),
        ("J5A_HOST_ID", "\udcff\udcfe"),
        ("J5A_HOST_ID", "x" * 300),
        ("J5A_PORT", "1_0"),
        ("J5A_PORT", "٨٠٨٠"),
        ("J5A_PORT", "9" * 5000),
        ("J5A_MARGIN_GIB", "1e400"),
        ("J5A_MARGIN_GIB", "-inf"),
        ("J5A_BIND", "127.0.0.1:8000"),
        ("J5A_BIND", "http://127.0.0.1"),
        ("J5A_BIND", "x" * 300),
        ("J5A_BIND", "-5"),
        ("J5A_ALLOWED_HOSTS", ",,"),
        ("J5A_ALLOWED_HOSTS", "panel.example.org,https://panel.example.org"),
        ("J5A_ALLOWED_HOSTS", "panel.example.org:8000"),
        ("J5A_CSRF_TRUSTED_ORIGINS", "panel.example.org"),
        ("J5A_CSRF_TRUSTED_ORIGINS", "https://panel.example.org/jobs"),
        ("J5A_PINNED_SENSOR", "x" * 300),
        ("J5A_IGNORED_SENSORS", f"applesmc/TCPG,{'x' * 300}"),
        ("J5A_WATCHED_PROGRAMS", " , "),
        ("J5A_ACTIVITY_WARN_MIB", "2048"),
    ],
)
def test_it_refuses_a_wrong_value(tmp_path: Path, name: str, value: str) -> None:
    done = start_with(tmp_path, **{name: value})
    assert done.returncode != 0
    (said,) = done.stderr.splitlines()
    assert said.startswith(name)
    assert len(said) < 400


NAMES = re.findall(r"^\| `(J5A_[A-Z_]+)` ", (BASE_DIR / "docs" / "settings.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_characters_that_cannot_be_shown_are_refused_in_every_setting(tmp_path: Path, name: str) -> None:
    """A byte that is no UTF-8, a second line, a colour of a terminal, a sign that turns the writing round."""
    for value in ("\udcff", "a\nb", "a\x1b[31mb", "a\u202eb"):
        done = start_with(tmp_path, **{name: value})
        assert done.returncode != 0, value
        (said,) = done.stderr.splitlines()
        assert said.startswith(f"{name} holds characters that cannot be shown"), said
        assert "give readable text in one line, or leave it away" in said


def test_a_secret_is_not_shown_when_it_is_refused(tmp_path: Path) -> None:
    done = start_with(tmp_path, J5A_SECRET_KEY=f"hush-hush\x07{'k' * 50}")
    assert done.returncode != 0
    assert "hush" not in done.stderr + done.stdout


def test_a_sensor_cannot_be_pinned_and_ignored(tmp_path: Path) -> None:
    done = start_with(tmp_path, J5A_PINNED_SENSOR="coretemp/Core 0", J5A_IGNORED_SENSORS="coretemp/Core 0")
    assert done.returncode != 0
    assert done.stderr.startswith("J5A_PINNED_SENSOR='coretemp/Core 0' stands in J5A_IGNORED_SENSORS, too")


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_value_counts_as_not_set(tmp_path: Path, value: str) -> None:
    code = "from django.conf import settings as s; print(s.ALLOWED_HOSTS, s.GATE_WATCHED_PROGRAMS, s.BIND, s.PORT)"
    names = [name for name in NAMES if name not in ("J5A_DATA_DIR", "J5A_LOCK_DIR")]  # where it would write
    words = ("shell", "--no-imports", "-c", code)
    done = start_with(tmp_path, *words, **dict.fromkeys(names, value))
    assert done.returncode == 0, done.stderr
    assert "'localhost'" in done.stdout
    assert done.stdout.endswith("('claude',) 127.0.0.1 8000\n")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("J5A_MARGIN_GB", "Is J5A_MARGIN_GIB meant?"),
        ("J5A_ALLOWED_HOST", "Is J5A_ALLOWED_HOSTS meant?"),
        ("J5A_SECRETKEY", "Is J5A_SECRET_KEY meant?"),
        ("J5A_ZEBRA", "The settings are in docs/settings.md"),
    ],
)
def test_a_name_that_no_setting_has_is_told(tmp_path: Path, name: str, hint: str) -> None:
    done = start_with(tmp_path, **{name: "hush-hush"})
    assert done.returncode == 0
    assert f"{name} is set, and no setting has that name: it does nothing." in done.stderr
    assert f"HINT: {hint}" in done.stderr
    assert "hush" not in done.stderr + done.stdout


def test_a_name_that_would_speak_to_the_terminal_is_told_in_ascii(tmp_path: Path) -> None:
    done = start_with(tmp_path, **{"J5A_\x1b[2J\nDone": "1"})
    assert "'J5A_\\x1b[2J\\nDone' is set, and no setting has that name" in done.stderr
    assert "\x1b" not in done.stderr


def test_no_name_that_a_setting_has_is_told(tmp_path: Path) -> None:
    names = [name for name in NAMES if name not in ("J5A_DATA_DIR", "J5A_LOCK_DIR")]
    done = start_with(tmp_path, **dict.fromkeys(names, ""), J5A_PYTHON="python3")
    assert (done.returncode, done.stderr) == (0, "")


def test_hosts_and_origins_as_they_should_be_are_taken(tmp_path: Path) -> None:
    hosts = "panel.example.org, .example.net,192.0.2.7,[::1],my_machine,*"
    for bind in ("127.0.0.1", "::1", "localhost", "0.0.0.0"):
        origins = "https://panel.example.org:8443,https://*.example.net"
        done = start_with(tmp_path, J5A_BIND=bind, J5A_ALLOWED_HOSTS=hosts, J5A_CSRF_TRUSTED_ORIGINS=origins)
        assert done.returncode == 0, done.stderr


def test_it_starts_with_right_values(tmp_path: Path) -> None:
    assert start_with(tmp_path, J5A_PORT="8080", J5A_HTTPS="yes", J5A_MARGIN_GIB="2.5").returncode == 0


@pytest.mark.parametrize("value", ["locks", "./locks", "../locks", "~nobody-of-this-name/locks"])
def test_a_relative_lock_folder_is_refused_because_it_is_another_one_everywhere(tmp_path: Path, value: str) -> None:
    done = start_with(tmp_path, J5A_LOCK_DIR=value)
    assert done.returncode != 0
    said = done.stderr.splitlines()[-1]
    assert f"J5A_LOCK_DIR={value!r} is a relative path" in said
    assert f"give the whole path from the root on, such as {str(BASE_DIR / value)!r}" in said


@pytest.mark.parametrize("value", ["{tmp_path}/locks", "~/locks", ""])
def test_a_whole_lock_folder_is_taken(tmp_path: Path, value: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = start_with(tmp_path, HOME=str(home), J5A_LOCK_DIR=value.format(tmp_path=tmp_path))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nowhere"])
def test_a_data_directory_that_cannot_be_is_said_plainly(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    done = start_with(tmp_path, J5A_DATA_DIR=str(tmp_path / place))
    assert done.returncode != 0
    assert str(tmp_path / place) in done.stderr
    assert "J5A_DATA_DIR must name a folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_models_directory_that_cannot_be_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    models = str(tmp_path / "file" / "models")
    done = start_with(tmp_path, "prepare", J5A_MODELS_DIR=models, J5A_PORT=str(free_port()))
    assert done.returncode != 0
    assert str(tmp_path / "file") in done.stderr
    assert "J5A_MODELS_DIR must name a folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("bind", "advice"),
    [("192.0.2.1", "must be an address of this machine"), ("no.such.name.invalid", "Check J5A_BIND")],
)
def test_an_address_that_is_not_of_this_machine_is_said_plainly(tmp_path: Path, bind: str, advice: str) -> None:
    done = start_with(tmp_path, "up", J5A_BIND=bind)
    assert done.returncode != 0
    assert bind in done.stderr
    assert advice in done.stderr
    assert "Traceback" not in done.stderr


def test_a_default_model_that_is_none_is_said_plainly(tmp_path: Path) -> None:
    done = start_with(tmp_path, J5A_DEFAULT_MODEL="fooo")
    assert done.returncode != 0
    assert "J5A_DEFAULT_MODEL='fooo' is no model" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_it_makes_is_for_its_owner_only(tmp_path: Path) -> None:
    """Also where the key is given, and nothing but the folders is made."""
    data_dir = tmp_path / "deep" / "er"
    done = start_with(tmp_path, J5A_DATA_DIR=str(data_dir), J5A_SECRET_KEY="k" * 60)
    assert done.returncode == 0
    for folder in (tmp_path / "deep", data_dir, data_dir / "uploads", data_dir / "uploads" / "incoming"):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
