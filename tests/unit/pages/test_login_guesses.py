"""Passwords cannot be guessed for long, and guesses leave a trace; the administrator gets in again by waiting."""

from __future__ import annotations

import contextlib
import logging
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from j5a_admin import site
from j5a_admin.site import LOGINS_AT_A_TIME

pytestmark = pytest.mark.django_db
WRONG = {"username": "admin", "password": "wrong"}
RIGHT = {"username": "admin", "password": "password"}  # pytest-django's administrator


def guess(client: Client, times: int = 5, **headers: str) -> Any:
    for _ in range(times):
        answer = client.post("/admin/login/", WRONG, **headers)  # type: ignore[arg-type]
    return answer


@pytest.fixture(autouse=True)
def _administrator(admin_user: object) -> None:
    pass


def test_four_guesses_are_free(client: Client) -> None:
    assert guess(client, 4).status_code == 200
    assert client.post("/admin/login/", RIGHT).status_code == 302


def test_after_five_the_login_page_says_how_long_it_is_closed(client: Client) -> None:
    answer = guess(client)
    assert answer.status_code == 429
    assert "Too many failed logins. Wait 60 s, then try again." in answer.content.decode()
    assert 0 < int(answer["Retry-After"]) <= 60
    assert 'id="login-form"' in answer.content.decode()


def test_the_right_password_does_not_open_it(client: Client) -> None:
    guess(client)
    assert client.post("/admin/login/", RIGHT).status_code == 429


def test_it_opens_by_itself_and_tries_meanwhile_do_not_matter(client: Client) -> None:
    guess(client, 50)
    attempt = AccessAttempt.objects.get()
    assert attempt.failures_since_start == 5
    AccessAttempt.objects.update(attempt_time=attempt.attempt_time - timedelta(seconds=61))
    assert client.post("/admin/login/", RIGHT).status_code == 302


def test_a_command_opens_it(client: Client) -> None:
    guess(client)
    call_command("axes_reset_username", "admin")
    assert client.post("/admin/login/", RIGHT).status_code == 302


def test_other_accounts_and_other_addresses_are_not_kept_out(client: Client) -> None:
    guess(client)
    other = client.post("/admin/login/", {"username": "other", "password": "wrong"})
    assert other.status_code == 200
    assert client.post("/admin/login/", RIGHT, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_the_address_in_a_header_counts_only_behind_the_proxy(client: Client) -> None:
    for number in range(5):
        answer = guess(client, 1, HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
    assert answer.status_code == 429


def test_behind_the_proxy_only_its_own_word_counts(client: Client, settings: Settings) -> None:
    settings.HTTPS = True
    tls = {"HTTP_X_FORWARDED_PROTO": "https"}
    for number in range(5):
        answer = guess(client, 1, **tls, HTTP_X_FORWARDED_FOR=f"192.0.2.{number}, 198.51.100.1")
    assert answer.status_code == 429
    other = {**tls, "HTTP_X_FORWARDED_FOR": "192.0.2.1, 198.51.100.2"}
    assert client.post("/admin/login/", RIGHT, **other).status_code == 302  # type: ignore[arg-type]


def test_of_many_at_once_only_a_few_are_checked(client: Client) -> None:
    with contextlib.ExitStack() as others:
        for _ in range(LOGINS_AT_A_TIME):
            others.enter_context(site._checking)
        answer = client.post("/admin/login/", RIGHT)
        assert answer.status_code == 503
        assert "Too many logins at once. Try again in a moment." in answer.content.decode()
    assert client.post("/admin/login/", RIGHT).status_code == 302


def test_failures_are_logged_with_name_and_address(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        guess(client, 1)
    assert "admin" in caplog.text
    assert "127.0.0.1" in caplog.text
    assert "wrong" not in caplog.text


def test_failures_are_shown_in_the_records(client: Client, admin_client: Client) -> None:
    guess(client)
    shown = admin_client.get("/admin/axes/accessfailurelog/").content.decode()
    assert shown.count("127.0.0.1") == AccessFailureLog.objects.count() == 5
    assert "wrong" not in AccessAttempt.objects.get().post_data
