"""The panel below a path of another site: every address it gives begins with that path."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.panel import BASE_DIR

# A process of its own: the settings are read once. What the panel answers, without a server.
PROGRAM = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "j5a_admin.settings"
from django.core.management import call_command
import django
django.setup()
call_command("collectstatic", interactive=False, verbosity=0)
call_command("migrate", verbosity=0)
from j5a_admin.wsgi import application
from io import BytesIO
for path in sys.argv[1:]:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
               "wsgi.input": BytesIO(), "wsgi.url_scheme": "http", "HTTP_HOST": "localhost"}
    told = []
    body = b"".join(application(environ, lambda status, headers: told.extend([status, dict(headers)])))
    print("STATUS", told[0], "LOCATION", told[1].get("Location", ""), "COOKIE", told[1].get("Set-Cookie", ""))
    print(body.decode(errors="replace"))
"""


def answers(tmp_path: Path, sub_path: str, *paths: str) -> list[str]:
    env = {**os.environ, "J5A_DATA_DIR": str(tmp_path / "var"), "J5A_SUB_PATH": sub_path}
    command = [sys.executable, "-c", PROGRAM, *paths]
    done = subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("STATUS ")[1:]


@pytest.mark.parametrize("sub_path", ["/j5a", "/tools/j5a/"])
def test_pages_redirects_files_and_cookies_lie_below_it(sub_path: str, tmp_path: Path) -> None:
    root = sub_path.rstrip("/")
    taken_away, passed_on, login = answers(tmp_path, sub_path, "/", f"{root}/", f"{root}/admin/login/")
    for start in (taken_away, passed_on):
        assert start.startswith(f"302 Found LOCATION {root}/admin/login/?next={root}/ ")
    assert login.startswith("200 OK")
    assert f"Path={root}/" in login.splitlines()[0]
    addresses = re.findall(r'(?:href|src|action)="(/[^"]*)"', login)
    assert len(addresses) > 3
    assert [address for address in addresses if not address.startswith(f"{root}/")] == []
    script = next(address for address in addresses if address.endswith(".css"))
    taken_away, passed_on = answers(tmp_path, sub_path, script.removeprefix(root), script)
    assert taken_away.startswith("200 OK")
    assert passed_on.startswith("200 OK")
