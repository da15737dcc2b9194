"""Sessions that have run out, and failed logins, do not stay for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessFailureLog
from django.contrib.sessions.models import Session

from gate.services.steps import rows_remove

FAILURES_KEPT = 10_000  # whoever guesses under ever new names must not fill the disk
ATTEMPT_DAYS = 1  # they count for minutes (J5A_LOGIN_WAIT_SECONDS is a day at most)


def sessions_prune(now: datetime, *, dry_run: bool) -> int:
    old = Session.objects.filter(expire_date__lt=now)
    return old.count() if dry_run else rows_remove(old, [old])


def login_failures_prune(now: datetime, days: float, *, dry_run: bool) -> int:
    """Those older than so many days, and of the others all but the newest."""
    if not dry_run:
        ended = AccessAttempt.objects.filter(attempt_time__lt=now - timedelta(days=ATTEMPT_DAYS + 1))
        rows_remove(ended, [ended])
    old = AccessFailureLog.objects.filter(attempt_time__lt=now - timedelta(days=days))
    count: int = old.count() if dry_run else rows_remove(old, [old])
    last_kept = AccessFailureLog.objects.order_by("-pk").values_list("pk", flat=True)[FAILURES_KEPT - 1 : FAILURES_KEPT]
    for pk in last_kept:
        beyond = AccessFailureLog.objects.filter(pk__lt=pk, attempt_time__gte=now - timedelta(days=days))
        count += beyond.count() if dry_run else rows_remove(beyond, [beyond])
    return count
