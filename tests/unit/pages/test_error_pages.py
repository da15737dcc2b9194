"""When something goes wrong, a person reads what it was and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.markup import element, elements
from tests.support.people import EVERYTHING, client_of, strict_client
from tests.support.rows import queued

pytestmark = pytest.mark.django_db


def bad_request(_: Settings) -> Any:
    return client_of("anna", *EVERYTHING).get("/", headers={"host": "evil.example"})


def forbidden(_: Settings) -> Any:
    return client_of("anna").get("/")


def too_old(_: Settings) -> Any:
    return strict_client("anna", *EVERYTHING).post(f"/jobs/{queued().pk}/cancel/")


def missing(_: Settings) -> Any:
    return client_of("anna", *EVERYTHING).get("/jobs/999999/")


def broken(settings: Settings) -> Any:
    """A setting that the panel would never start with: its page fails for real."""
    settings.GATE_RESET_CELSIUS = settings.GATE_TRIP_CELSIUS
    client = client_of("anna", *EVERYTHING)
    client.raise_request_exception = False
    return client.get("/")


CASES = [
    (bad_request, 400, "The panel is not known under this name", "J5A_ALLOWED_HOSTS"),
    (forbidden, 403, "Your account may not do this", "Ask an administrator"),
    (too_old, 403, "This page was open for too long", "allow cookies"),
    (missing, 404, "There is nothing at this address", "may have been deleted"),
    (broken, 500, "The panel made a mistake", "reload the page to try again"),
]


@pytest.mark.parametrize(("cause", "status", "title", "advice"), CASES)
def test_it_says_what_happened_and_what_to_do(
    cause: Callable[[Settings], Any], status: int, title: str, advice: str, settings: Settings
) -> None:
    answer = cause(settings)
    assert answer.status_code == status
    assert answer["Content-Type"].startswith("text/html")
    assert element(answer, "h1").words == title
    assert element(answer, "p", class_="eyebrow").words == str(status)
    assert advice in element(answer, "main").words
    assert [e["href"] for e in elements(answer, "a")] == ["/"]


@pytest.mark.parametrize(("cause", "status", "title", "advice"), CASES)
def test_it_shows_nothing_of_the_inside(
    cause: Callable[[Settings], Any], status: int, title: str, advice: str, settings: Settings
) -> None:
    text = cause(settings).content.decode()
    for word in ("Traceback", "Exception", "django", "/work/", "evil.example", "anna"):
        assert word not in text


@pytest.mark.parametrize("address", ["/nothing/", "/jobs/x/", "/jobs/-1/", "/favicon.ico", "/static/nothing.js"])
def test_an_unknown_address_says_so(operator: Client, address: str) -> None:
    assert operator.get(address).status_code == 404


def test_an_unknown_address_tells_nothing_before_the_login(anonymous: Client) -> None:
    assert anonymous.get("/nothing/").status_code in {302, 404}
