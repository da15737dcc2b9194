"""`manage.py report`: what became of the last night, as the page Morning report shows it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from j5a_admin.report import report_lines
from transcribe.selectors import night_report


class Command(BaseCommand):
    help = "Tell what became of the last night: done, incomplete, failed, waiting and why, time lost, what is to come."
    requires_system_checks = ["j5a"]  # the panel's own; Django's would import every page

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("\n".join(report_lines(night_report())))
