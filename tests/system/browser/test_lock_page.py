"""A person clears a stale lock in a browser; one that lives by then keeps it, and the page goes on by itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.support.panel import BASE_DIR, Panel
from tests.unit.gate.test_lock_events import gone_pid

# On the panel's own host: of another host's holder nothing could be proved.
TAKES_IT = """
import os, sys
from pathlib import Path
from gate.core.identity import record_for
from gate.core.lockfile import HeavyLock
lock = HeavyLock(Path(sys.argv[1]))
held = lock.acquire(record_for(os.getpid(), machine=lock.machine))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def stale(panel: Panel) -> Iterator[int]:
    """A real lock file of the running panel, whose holder is gone; the PID it names."""
    panel.lock_path.parent.mkdir(mode=0o700, exist_ok=True)
    pid = gone_pid()
    panel.lock_path.write_text(f"{pid}\n")
    yield pid
    panel.lock_path.unlink(missing_ok=True)
    panel.lock_path.with_suffix(".lock.json").unlink(missing_ok=True)


@contextmanager
def child_that_takes_it(panel: Panel) -> Iterator[int]:
    command = [sys.executable, "-c", TAKES_IT, str(panel.lock_path)]
    child = subprocess.Popen(command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child.pid
    finally:
        child.kill()
        child.communicate()


def ask_to_clear(page: Page, panel: Panel) -> None:
    page.goto(panel.url + "/")
    page.get_by_role("link", name="Lock", exact=True).click()
    expect(page.locator("#lock-live .badge")).to_have_text("stale")
    page.get_by_role("link", name="Clear stale lock …").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clear the stale lock?")


def test_a_stale_lock_is_cleared(page: Page, panel: Panel, stale: int) -> None:
    ask_to_clear(page, panel)
    expect(page.get_by_text(f"PID {stale}: no such process")).to_be_visible()
    page.get_by_label("Reason").fill("power cut")
    page.get_by_role("button", name="Clear the lock").click()
    expect(page.locator(".messagelist")).to_have_text(f"The lock is cleared. It was stale: its PID {stale} is gone.")
    expect(page.locator("#lock-live .badge")).to_have_text("free")
    expect(page.locator("#lock-history > ol > li").first).to_contain_text("cleared by a person admin: power cut")
    assert panel.lock_path.read_text() == ""


def test_a_holder_that_lives_by_then_keeps_it(page: Page, panel: Panel, stale: int) -> None:
    ask_to_clear(page, panel)
    with child_that_takes_it(panel) as pid:
        page.get_by_role("button", name="Clear the lock").click()
        expect(page.locator(".messagelist")).to_contain_text(f"Not cleared, nothing was changed: held by PID {pid}")
        expect(page.locator("#lock-live .badge")).to_have_text("held")
        assert panel.lock_path.read_text() == f"{pid}\n"
    expect(page.locator("#lock-live .badge")).to_have_text("stale", timeout=15_000)
    expect(page.get_by_role("link", name="Clear stale lock …")).to_be_visible()
