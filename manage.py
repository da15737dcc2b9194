#!/usr/bin/env python
"""Django's command line for the panel."""

from __future__ import annotations

import os
import sys


def main() -> None:
    for name in ("stdout", "stderr"):  # closed by the caller (`>&-`): what is said then goes nowhere
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "j5a_admin.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # a wrong J5A_ variable: its sentence says all, a stack trace would hide it
        sys.exit(f"{error}")
    except OperationalError as error:
        from j5a_admin.claims import DataUnusable

        if not isinstance(error, DataUnusable):
            raise
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
