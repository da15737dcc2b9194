"""The page: for staff who may see the gate; it shows every line and escapes what programs are called."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from j5a_admin.doctor.examine import examine
from tests.support.markup import element, elements, words
from tests.support.panel import free_port

pytestmark = pytest.mark.django_db

HOSTILE = "<img src=x onerror=alert(1)>.py"
LISTEN = (
    "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print('ready', flush=True); input()"
)


@pytest.fixture(autouse=True)
def _surroundings(settings: Settings, tmp_path: Path) -> None:
    settings.GATE_LOCK_PATH = tmp_path / "locks" / "whisper_large.lock"
    settings.PORT = free_port()


def client_with(*permissions: str) -> Client:
    user = User.objects.create_user("anna", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="gate"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def viewer() -> Client:
    return client_with("view_gatestate")


@pytest.fixture
def hostile(settings: Settings, tmp_path: Path) -> Iterator[int]:
    """A real program with a hostile name on the panel's port; its PID."""
    script = tmp_path / HOSTILE
    script.write_text(LISTEN)
    command = [sys.executable, str(script), str(settings.PORT)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def test_it_asks_for_a_login() -> None:
    answer = Client().get("/doctor/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/doctor/")


def test_it_asks_for_the_permission() -> None:
    assert client_with("view_sensorsample").get("/doctor/").status_code == 403


def test_it_answers_to_no_post(viewer: Client) -> None:
    assert viewer.post("/doctor/").status_code == 405


def test_it_shows_every_line_under_its_heading(viewer: Client) -> None:
    answer = viewer.get("/doctor/")
    shown = [e.words.lower() for e in elements(answer, "h3")]
    assert shown == [finding.subject.lower() for finding in examine()]
    titles = [e.words for e in elements(answer, "h2")][1:]
    assert titles == [
        "Processor",
        "Memory",
        "Disk",
        "Temperature",
        "Permissions",
        "Network",
        "Configuration",
        "Processes",
    ]
    badges = [e.words for e in elements(answer, "span", class_="badge")]
    assert len(badges) == len(shown)
    assert set(badges) <= {"PASS", "WARN", "FAIL"}


def test_what_fails_is_named_at_the_top_with_its_advice_below(viewer: Client, settings: Settings) -> None:
    settings.DEBUG = True
    answer = viewer.get("/doctor/")
    assert words(answer, "summary-title") == "Something must be mended"
    assert "debug mode" in words(answer, "summary").partition(" FAIL (")[2].partition(")")[0]
    assert "Set DEBUG to False." in words(answer, "doctor")


def test_a_hostile_name_of_a_program_is_shown_and_not_run(viewer: Client, hostile: int) -> None:
    answer = viewer.get("/doctor/")
    assert f"python {HOSTILE} (PID {hostile}) has" in words(answer, "doctor")
    assert elements(answer, "img") == []


def test_it_is_marked_in_the_menu_and_has_one_title(viewer: Client) -> None:
    answer = viewer.get("/doctor/")
    assert answer.context["section"] == "doctor"
    assert element(answer, "h1").words == "Doctor"


def test_it_is_there_within_a_second(viewer: Client) -> None:
    viewer.get("/doctor/")  # templates and modules are read once
    begun = time.process_time()
    viewer.get("/doctor/")
    assert time.process_time() - begun < 1.0
