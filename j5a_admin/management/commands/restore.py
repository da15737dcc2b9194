"""`manage.py restore FILE`: a backup into an empty data directory."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from j5a_admin.backup.errors import BackupError
from j5a_admin.backup.restore import restore


class Command(BaseCommand):
    help = "Put a backup into an empty data directory. Everything is checked before anything is changed."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what `manage.py backup` wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = restore(options["file"].absolute(), self._say)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self._say(
            f"Restored: the backup of {manifest.host} from {manifest.created_at}, {len(manifest.files) - 1} recordings."
        )
        for text in manifest.missing:
            self._say(f"It never had the recording {text}.")
        self._say("Start the panel with `make run`. Everybody logs in again.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
