"""`manage.py prepare`: everything a start needs once; quick when it is there already."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from j5a_admin import first_run
from j5a_admin.claims import DataUnusable
from j5a_admin.startable import require_startable
from transcribe.disk import database_trouble
from transcribe.uploads import uploads_sweep


class Command(BaseCommand):
    help = "Prepare directories, database, roles, first administrator, static files and the sample job."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._prepare()
        except DataUnusable:
            raise
        except DatabaseError as problem:
            raise CommandError(f"{first_run.database_path()} cannot be used. {database_trouble(problem)}") from problem

    def _prepare(self) -> None:
        if not first_run.database_path().exists():
            require_startable()  # a start that cannot succeed sets nothing up
        first_run.directories_make()
        uploads_sweep()
        first_run.database_migrate(self._say)
        first_run.static_collect(self._say)
        first_run.roles_make()
        first_run.administrator_make(self._say)
        first_run.sample_submit(self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
