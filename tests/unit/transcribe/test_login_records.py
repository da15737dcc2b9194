"""Tidying removes sessions that have run out, and failed logins that are old or too many."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessFailureLog
from django.contrib.sessions.models import Session
from django.utils import timezone

from transcribe import login_records
from transcribe.login_records import login_failures_prune, sessions_prune
from transcribe.retention import retention_policy, tidy

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def session(key: str, *, days: float) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=NOW + timedelta(days=days))


def failure(*, days_ago: float = 0) -> None:
    log = AccessFailureLog.objects.create(username="x", ip_address="127.0.0.1")
    AccessFailureLog.objects.filter(pk=log.pk).update(attempt_time=NOW - timedelta(days=days_ago))


def test_an_expired_session_goes_and_a_live_one_stays() -> None:
    session("old", days=-1)
    session("live", days=1)
    assert sessions_prune(NOW, dry_run=True) == 1
    assert sessions_prune(NOW, dry_run=False) == 1
    assert [one.session_key for one in Session.objects.all()] == ["live"]


def test_old_failures_go() -> None:
    failure(days_ago=366)
    failure(days_ago=364)
    assert login_failures_prune(NOW, 365, dry_run=True) == 1
    assert login_failures_prune(NOW, 365, dry_run=False) == 1
    assert AccessFailureLog.objects.count() == 1


def test_of_too_many_the_newest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_records, "FAILURES_KEPT", 3)
    for _ in range(5):
        failure()
    newest = list(AccessFailureLog.objects.order_by("-pk").values_list("pk", flat=True)[:3])
    assert login_failures_prune(NOW, 365, dry_run=False) == 2
    assert list(AccessFailureLog.objects.order_by("-pk").values_list("pk", flat=True)) == newest


@pytest.mark.usefixtures("uploads")
def test_the_daily_tidying_does_it() -> None:
    session("old", days=-1)
    assert {one.what: one.count for one in tidy(retention_policy())}["expired sessions"] == 1
