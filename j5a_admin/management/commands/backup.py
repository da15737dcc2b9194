"""`manage.py backup WHERE`: database and recordings in one file, while the panel runs or not."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gate.core.units import bytes_text
from j5a_admin.backup.errors import BackupError
from j5a_admin.backup.write import backup_write


class Command(BaseCommand):
    help = "Write the database and all recordings into one file. The panel may run meanwhile."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("where", type=Path, help="a folder, or the name of a file that does not exist yet")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            written = backup_write(options["where"], self.stderr.write)
        except BackupError as error:
            raise CommandError(str(error)) from error
        count = len(written.manifest.files) - 1
        self.stdout.write(
            f"{written.path}: {count} recordings and the database, {bytes_text(written.size_bytes)}, checked."
        )
