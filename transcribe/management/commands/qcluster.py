"""`manage.py qcluster`, django-q2's own command, is refused: its cluster can run two jobs after a kill."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Not used here: the queue runs as `manage.py worker`."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("words", nargs="*", help="ignored")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "django-q2's own cluster is not started on this data: after a kill it could run two jobs at once, or stand "
            "still (docs/architecture.md says how). Start the queue with `manage.py worker`, or everything with "
            "`manage.py up`."
        )
