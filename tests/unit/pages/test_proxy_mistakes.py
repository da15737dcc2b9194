"""A proxy that leaves something out: the page names the header or the setting, not the person's patience."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from tests.support.markup import element
from tests.support.people import EVERYTHING, strict_client
from tests.support.rows import queued

pytestmark = pytest.mark.django_db

OTHERWISE = "J5A_CSRF_TRUSTED_ORIGINS"


@pytest.fixture(autouse=True)
def _hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["panel.example"]


@pytest.mark.parametrize(
    ("host", "origin", "https", "named"),
    [
        ("panel.example", "http://panel.example:8443", False, "Host header without the port"),
        ("panel.example:8000", "http://panel.example", False, "with another one"),
        ("panel.example", "https://panel.example", False, "Set J5A_HTTPS=1"),
        ("panel.example", "https://panel.example:8443", False, "X-Forwarded-Proto: https"),
        ("panel.example", "https://elsewhere.example", False, "X-Forwarded-Host is not read"),
        ("panel.example", "null", False, "does not pass on the Host header"),
    ],
)
def test_a_form_from_another_address_names_what_is_wrong(
    host: str, origin: str, https: bool, named: str, settings: Settings
) -> None:
    client = strict_client("anna", *EVERYTHING)
    headers = {"host": host, "origin": origin}
    answer = client.post(f"/jobs/{queued().pk}/cancel/", headers=headers)
    assert answer.status_code == 403
    assert element(answer, "h1").words == "This form came from another address"
    text = element(answer, "main").words
    assert named in text
    assert OTHERWISE in text
    assert "elsewhere" not in text  # nobody is told to trust a stranger


def test_an_upload_by_script_is_told_the_same() -> None:
    client = strict_client("anna", *EVERYTHING)
    headers = {"host": "panel.example", "origin": "https://panel.example", "accept": "application/json"}
    answer = client.post("/jobs/upload/", {"model": "demo"}, headers=headers)
    assert answer.status_code == 403
    assert "Set J5A_HTTPS=1" in answer.json()["error"]


def test_an_unknown_name_names_the_setting() -> None:
    answer = strict_client("anna", *EVERYTHING).get("/", headers={"host": "other.example"})
    assert answer.status_code == 400
    assert "J5A_ALLOWED_HOSTS" in element(answer, "main").words
    assert "Host header" in element(answer, "main").words


def test_https_without_the_proxys_word_names_the_header(settings: Settings) -> None:
    settings.HTTPS = True
    client = strict_client("anna", *EVERYTHING)
    answer = client.get("/", headers={"host": "panel.example"})
    assert answer.status_code == 400
    assert "X-Forwarded-Proto: https" in element(answer, "main").words
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    headers = {"host": "panel.example", "x-forwarded-proto": "https"}
    assert client.get("/", headers=headers).status_code == 200
