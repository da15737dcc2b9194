"""A process group is signalled only while its child is not reaped: afterwards its number may be another's."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from j5a_admin import supervise
from j5a_admin.supervise import Child, Supervisor


def test_it_signals_no_group_whose_child_is_reaped(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child(name="quick", command=[sys.executable, "-c", "import time; time.sleep(60)"])
    free: list[int] = []
    killpg = os.killpg

    def look(group: int, number: int) -> None:
        assert child.process is not None
        if child.process.returncode is not None:
            free.append(group)
        killpg(group, number)

    monkeypatch.setattr(supervise.os, "killpg", look)
    supervisor = Supervisor([child], say=lambda _: None)
    threading.Timer(1.0, supervisor.stop).start()
    begun = time.monotonic()
    supervisor.run()
    assert free == []
    assert child.process is not None and child.process.returncode is not None
    assert time.monotonic() - begun < supervise.STOP_SECONDS
