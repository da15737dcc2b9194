"""The backend that `settings.DATABASES` names."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.backends.sqlite3 import base

from j5a_admin.claims import data_use

DATA_DIR = settings.DATA_DIR  # of this process: its claim is for life, whatever a test sets later


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        data_use(DATA_DIR)
        return super().get_new_connection(conn_params)
