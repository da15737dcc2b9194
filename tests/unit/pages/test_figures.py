"""How figures are written on pages, as truth tables."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

import pytest
from django.template import engines
from django.utils import timezone

from gate.core.incidents.lifecycle import IncidentStatus
from gate.core.readings import Judgement, LockState
from gate.core.units import GIB, MIB
from gate.core.verdict import Outcome
from gate.models import LockEventKind
from j5a_admin.templatetags.panel import TONES, bytes_filter, celsius, clock, commands, duration, plain, soon, tone
from transcribe.states import JobStatus

STATES = [*JobStatus, *Outcome, *LockState, *LockEventKind, *Judgement, *IncidentStatus]
KNOWN_TONES = {"good", "warn", "bad", "busy", "calm"}


@pytest.mark.parametrize("value", STATES, ids=repr)
def test_every_state_has_a_tone(value: Enum) -> None:
    assert str(value) in TONES
    assert tone(value) in KNOWN_TONES


def test_no_tone_is_left_over() -> None:
    assert set(TONES) == {str(value) for value in STATES}


def test_good_and_bad_are_not_confused() -> None:
    assert {tone(value) for value in (Outcome.PASS, LockState.FREE, JobStatus.SUCCEEDED)} == {"good"}
    assert {tone(value) for value in (Outcome.BLOCK, Outcome.UNKNOWN, LockState.HUNG, JobStatus.FAILED)} == {"bad"}


@pytest.mark.parametrize("value", ["nonsense", None, 5, ""])
def test_anything_else_is_calm(value: object) -> None:
    assert tone(value) == "calm"


def test_templates_see_the_same() -> None:
    template = engines["django"].from_string("{% load panel %}{{ status|tone }} {{ size|bytes }} {{ at|clock }}")
    assert template.render({"status": JobStatus.FAILED, "size": 2 * GIB, "at": 61}) == "bad 2.0 GiB 1:01"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0, "0:00"),
        (0.999, "0:00"),
        (1, "0:01"),
        (59.99, "0:59"),
        (60, "1:00"),
        (75.2, "1:15"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (3845, "1:04:05"),
        (360_000, "100:00:00"),
    ],
)
def test_a_position(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (-5, "0 s"),
        (0, "0 s"),
        (0.4, "0 s"),
        (8.4, "8 s"),
        (89, "89 s"),
        (89.4, "89 s"),
        (119, "119 s"),
        (120, "2 min"),
        (179, "2 min"),
        (720, "12 min"),
        (5399, "89 min"),
        (5400, "1 h 30 min"),
        (12_000, "3 h 20 min"),
        (86_400, "24 h 0 min"),
    ],
)
def test_a_time_spent(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3600, "now"),
        (-1, "now"),
        (0, "now"),
        (0.5, "now"),
        (8.5, "in 8 s"),
        (720.5, "in 12 min"),
        (7200.5, "in 2 h 0 min"),
    ],
)
def test_a_moment_to_come(seconds: float, text: str) -> None:
    assert soon(timezone.now() + timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "–"),
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (512 * MIB, "512 MiB"),
        (3.1 * GIB, "3.1 GiB"),
    ],
)
def test_a_size(size: float | None, text: str) -> None:
    assert bytes_filter(size) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (0.0, "0.0 °C"), (79.95, "80.0 °C"), (45.0, "45.0 °C")])
def test_a_temperature(value: float | None, text: str) -> None:
    assert celsius(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0.000"), (1.5, "1.500"), (3600.0004, "3600.000")])
def test_seconds_for_scripts(seconds: float, text: str) -> None:
    assert plain(seconds) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Run `make setup` once.", "Run <code>make setup</code> once."),
        ("a `lone mark", "a `lone mark"),
        ("<b> `<i>`", "&lt;b&gt; <code>&lt;i&gt;</code>"),
        ("plain", "plain"),
    ],
)
def test_commands_in_a_sentence_are_set_as_code(text: str, shown: str) -> None:
    assert commands(text) == shown
