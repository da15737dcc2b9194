"""No page may run or load anything that is not a file of this panel, whatever a person wrote into it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from j5a_admin.middleware import POLICY
from tests.support.every_page import answers, fill
from tests.support.markup import elements
from tests.support.rows import EVIL, submitted

pytestmark = pytest.mark.django_db

LOCAL_SCHEMES = {"", "data"}


def test_every_page_is_strict_and_local(administrator: Client, anonymous: Client, tmp_path: Path) -> None:
    """One walk over all pages for all rules: making the rows takes most of the time."""
    fill(tmp_path / "mine.pt")
    wrong = [
        f"{address}: {problem}"
        for address, answer in answers(administrator, anonymous)
        for problem in (*header_problems(answer), *markup_problems(answer))
    ]
    assert wrong == []


def header_problems(answer: object) -> list[str]:
    headers = answer.headers  # type: ignore[attr-defined]
    wanted = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    problems = [f"{name} is {headers.get(name)}" for name, value in wanted.items() if headers.get(name) != value]
    if "no-store" not in headers.get("Cache-Control", ""):
        problems.append("may be stored")
    # Without a time, a validator or a permission no browser keeps it for longer than its history.
    problems += [f"has {name}" for name in ("Last-Modified", "ETag", "Age") if name in headers]
    return problems


def markup_problems(answer: object) -> list[str]:
    problems = []
    for found in elements(answer):
        inline = found.text.strip() and found.attributes.get("type") != "application/json"
        if found.tag == "style" or (found.tag == "script" and inline):
            problems.append(f"inline {found.tag}: {found.words[:60]}")
        problems += [
            f"<{found.tag} {name}=…>"
            for name in found.attributes
            if name == "style" or name.startswith(("on", "hx-on"))
        ]
        problems += [
            f"<{found.tag} {name}={value}> leaves this host"
            for name, value in found.attributes.items()
            if name in {"src", "href", "action", "formaction", "poster", "data", "srcset"} and _leaves(value)
        ]
        if found.tag in {"iframe", "object", "embed", "base"}:
            problems.append(f"<{found.tag}>")
    if EVIL.encode() in answer.content:  # type: ignore[attr-defined]
        problems.append("a person's text is not escaped")
    return problems


def _leaves(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme not in LOCAL_SCHEMES or bool(parts.netloc)


def test_the_policy_allows_nothing_inline_and_no_other_host() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert (rules["script-src"], rules["style-src"], rules["connect-src"]) == ("'self'",) * 3
    assert (rules["frame-ancestors"], rules["base-uri"], rules["form-action"]) == ("'none'", "'none'", "'self'")
    assert "unsafe" not in POLICY
    assert set(" ".join(rules.values()).split()) == {"'none'", "'self'", "data:"}


def test_downloads_and_recordings_carry_the_policy_and_are_not_stored(operator: Client) -> None:
    job = submitted()
    answer = operator.get(f"/jobs/{job.pk}/audio/")
    assert answer["Content-Security-Policy"] == POLICY
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    answer.close()  # as for a player that goes away: nothing is left open, or the suite would warn


def test_an_answer_for_the_script_is_not_stored(operator: Client) -> None:
    answer = operator.post("/jobs/upload/", {"model": "demo"}, headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Security-Policy"] == POLICY


def test_no_other_site_and_no_script_gets_the_session() -> None:
    """An upload's body is read before its token is checked: SameSite keeps other sites' forms out before that."""
    User.objects.create_user("anna", password="a long password", is_staff=True)
    answer = Client().post("/admin/login/", {"username": "anna", "password": "a long password"})
    cookie = answer.cookies["j5a_session"]
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)


def test_no_page_may_be_framed_or_use_a_camera(operator: Client) -> None:
    answer = operator.get("/")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Permissions-Policy"] == "camera=(), geolocation=(), microphone=()"
