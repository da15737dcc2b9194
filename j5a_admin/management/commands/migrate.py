"""`manage.py migrate`: Django's own, with the data directory claimed alone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate

from j5a_admin.claims import data_alone


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with data_alone(settings.DATA_DIR):
            super().handle(*args, **options)
