"""The preparing child as a process: progress, stopping, dying with its parent, a full disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.audio_files import beacon, write_hours, write_wav
from tests.support.hot_machine import state_of
from transcribe.audio import prepare
from transcribe.audio.errors import DiskFull, PreparationFailed, PreparationStopped
from transcribe.audio.prepare import Preparation
from transcribe.held import HeldFor

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def long_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hours(tmp_path_factory.mktemp("long") / "long.wav", 3)


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def test_it_tells_how_far_it_is(tmp_path: Path, long_wav: Path) -> None:
    told: list[float] = []

    with Preparation(long_wav, tmp_path / "out.pcm", display_name="long") as preparation:
        prepared = preparation.wait(on_progress=told.append)

    assert told == sorted(told)
    assert len(told) > 2
    assert prepared.duration_seconds == 3 * 3600
    assert len(prepared.spans) == 18


def test_it_can_be_polled_while_something_else_goes_on(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(2, 16000))
    preparation = Preparation(path, tmp_path / "out.pcm", display_name="a")

    assert preparation.poll() is None
    wait_until(lambda: preparation.poll() is not None)

    assert preparation.wait() is preparation.poll()


@pytest.mark.parametrize("held_by_us", [True, False])
def test_one_that_is_held_is_not_silent(
    tmp_path: Path, long_wav: Path, monkeypatch: pytest.MonkeyPatch, held_by_us: bool
) -> None:
    with Preparation(long_wav, tmp_path / "out.pcm", display_name="long") as preparation:
        wait_until(lambda: preparation.poll() is None and preparation.progress_seconds > 0)
        monkeypatch.setattr(prepare, "SILENT_CHILD_SECONDS", 2.0)
        if held_by_us:
            preparation.hold(HeldFor.HEAT_PAUSE)
        else:
            os.killpg(preparation.pid, signal.SIGSTOP)
        begun = time.monotonic()

        with pytest.raises(PreparationStopped if held_by_us else PreparationFailed) as ended:
            preparation.wait(should_stop=lambda: time.monotonic() - begun > 4.0)

        assert held_by_us or "no sign of life for 2 s" in str(ended.value)
        assert not Path(f"/proc/{preparation.pid}").exists()


def test_one_that_was_held_goes_on_to_its_end(tmp_path: Path, long_wav: Path) -> None:
    with Preparation(long_wav, tmp_path / "out.pcm", display_name="long") as preparation:
        wait_until(lambda: preparation.poll() is None and preparation.progress_seconds > 0)
        preparation.hold(HeldFor.HEAT_PAUSE)
        wait_until(lambda: state_of(preparation.pid) == "T")
        before = preparation.poll() is None and preparation.progress_seconds
        time.sleep(1.0)
        assert preparation.poll() is None
        assert preparation.progress_seconds == before
        preparation.let_go()
        assert preparation.wait().duration_seconds == 3 * 3600
        preparation.hold(HeldFor.HEAT_PAUSE)
        preparation.let_go()  # of what is gone: nothing


def test_it_does_not_wait_for_a_caller_that_does_not_listen(tmp_path: Path, long_wav: Path) -> None:
    with Preparation(long_wav, tmp_path / "out.pcm", display_name="long") as preparation:
        wait_until((tmp_path / "out.pcm").exists)
        assert preparation.wait().duration_seconds == 3 * 3600


def test_it_stops_when_asked_and_leaves_nothing(tmp_path: Path, long_wav: Path) -> None:
    preparation = Preparation(long_wav, tmp_path / "out.pcm", display_name="long")

    with pytest.raises(PreparationStopped):
        preparation.wait(should_stop=lambda: preparation.progress_seconds > 0)

    assert list(tmp_path.iterdir()) == []


def test_it_is_killed_at_the_end_of_its_context_and_leaves_nothing(tmp_path: Path, long_wav: Path) -> None:
    with Preparation(long_wav, tmp_path / "out.pcm", display_name="long") as preparation:
        wait_until((tmp_path / "out.pcm.part").exists)

    assert not Path(f"/proc/{preparation.pid}").exists()
    assert list(tmp_path.iterdir()) == []


def test_it_keeps_the_result_when_killed_afterwards(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(1, 16000))
    with Preparation(path, tmp_path / "out.pcm", display_name="a") as preparation:
        preparation.wait()

    assert (tmp_path / "out.pcm").stat().st_size == 32000


def test_it_says_that_the_child_was_killed(tmp_path: Path, long_wav: Path) -> None:
    preparation = Preparation(long_wav, tmp_path / "out.pcm", display_name="long")
    os.kill(preparation.pid, 9)

    with pytest.raises(PreparationFailed, match="ended by signal 9"):
        preparation.wait()

    assert list(tmp_path.iterdir()) == []


def test_it_ends_with_its_parent(tmp_path: Path, long_wav: Path) -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from transcribe.audio.prepare import Preparation\n"
            "p = Preparation(Path(sys.argv[1]), Path(sys.argv[2]), display_name='long')\n"
            "print(p.pid, flush=True); time.sleep(60)",
            str(long_wav),
            str(tmp_path / "out.pcm"),
        ],
        stdout=subprocess.PIPE,
        cwd=PROJECT,
    )
    assert parent.stdout is not None
    child_pid = int(parent.stdout.readline())
    wait_until((tmp_path / "out.pcm.part").exists)

    parent.kill()
    parent.communicate()

    wait_until(lambda: not Path(f"/proc/{child_pid}").exists() or is_zombie(child_pid))


def is_zombie(pid: int) -> bool:
    """Dead, but not yet collected by the process that inherited it."""
    return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()


def test_it_runs_below_everything_else(tmp_path: Path, long_wav: Path) -> None:
    with Preparation(long_wav, tmp_path / "out.pcm", display_name="long") as preparation:
        wait_until((tmp_path / "out.pcm.part").exists)
        assert os.getpriority(os.PRIO_PROCESS, preparation.pid) >= 10


def test_it_passes_no_secret_on(tmp_path: Path, long_wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("J5A_SECRET_KEY", "hush")
    with Preparation(long_wav, tmp_path / "out.pcm", display_name="long") as preparation:
        wait_until((tmp_path / "out.pcm.part").exists)
        assert b"hush" not in Path(f"/proc/{preparation.pid}/environ").read_bytes()


def test_it_refuses_a_disk_that_is_too_small_before_it_starts(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(1, 16000))

    with pytest.raises(DiskFull, match="MB needed") as caught:
        Preparation(path, tmp_path / "out.pcm", display_name="a", expected_seconds=1e12)

    assert not caught.value.permanent


FULL_DISK = """
import json, sys
from pathlib import Path
from transcribe.audio.errors import AudioError
from transcribe.audio.prepare import Preparation
source, folder = Path(sys.argv[1]), Path(sys.argv[2])
try:
    Preparation(source, folder / "out.pcm", display_name="talk.wav").wait()
except AudioError as error:
    print(json.dumps([type(error).__name__, str(error), [entry.name for entry in folder.iterdir()]]))
"""


@pytest.mark.usefixtures("needs_root")
def test_it_names_a_full_disk_and_leaves_nothing_on_it(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", beacon(60, 16000))
    small = tmp_path / "small"
    small.mkdir()
    mount_and_run = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" -c "$3" "$4" "$1"'

    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", mount_and_run, "sh", small, sys.executable, FULL_DISK, path],
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        check=True,
    )

    kind, message, left = json.loads(done.stdout)
    assert kind == "DiskFull"
    assert message == ("talk.wav: the disk is full (No space left on device). Free some space, then try again.")
    assert left == []
