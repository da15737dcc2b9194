"""With J5A_HTTPS=1 browsers are told to keep to https for this host only; more by a setting of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.panel import BASE_DIR

CODE = (
    "from django.conf import settings as s;"
    "print(s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.SECURE_HSTS_PRELOAD)"
)


@pytest.mark.parametrize(
    ("environment", "hsts"),
    [
        ({}, "0 False False"),
        ({"J5A_HSTS_SUBDOMAINS": "1", "J5A_HSTS_PRELOAD": "1"}, "0 False False"),
        ({"J5A_HTTPS": "1"}, "31536000 False False"),
        ({"J5A_HTTPS": "1", "J5A_HSTS_SUBDOMAINS": "1"}, "31536000 True False"),
        ({"J5A_HTTPS": "1", "J5A_HSTS_PRELOAD": "1"}, "31536000 True True"),
    ],
)
def test_it_is_for_this_host_only_unless_more_is_asked_for(
    environment: dict[str, str], hsts: str, tmp_path: Path
) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "j5a_admin.settings", "J5A_DATA_DIR": str(tmp_path), **environment}
    done = subprocess.run([sys.executable, "-c", CODE], cwd=BASE_DIR, env=env, capture_output=True, text=True)
    assert done.stdout.strip() == hsts, done.stderr
