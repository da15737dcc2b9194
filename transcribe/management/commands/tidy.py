"""`manage.py tidy`: remove what is not kept any longer; the sampler does the same once a day."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from gate.core.units import bytes_text
from transcribe.retention import removed_lines, retention_policy, tidy


class Command(BaseCommand):
    help = "Remove old engine logs, leftovers of ended jobs and old records, by the J5A_KEEP_ settings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        lines = removed_lines(tidy(retention_policy(), dry_run=dry_run), bytes_text)
        for line in lines:
            self.stdout.write(f"{'Would remove' if dry_run else 'Removed'} {line}.")
        if not lines:
            self.stdout.write("Nothing to remove.")
