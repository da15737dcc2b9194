"""The black box on real files: what a torn write, a full disk or a strange file leaves readable."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gate.core.blackbox import BlackBox, BlackBoxBusy, Look, Run, read_recording
from tests.support.panel import BASE_DIR

RUN = Run(host="mini", boot_id="boot-1", pid=7, started_at=1000.0)
LATER = Run(host="mini", boot_id="boot-2", pid=8, started_at=500.0)  # its clock was wrong


def look(second: int) -> Look:
    return Look(at=1000.0 + second, celsius=45.5, sensor="coretemp/Package id 0", available_bytes=5, work="job 7 “Ü”")


def written(directory: Path, *seconds: int, run: Run = RUN, close: bool = False, lines: int = 300) -> None:
    box = BlackBox(directory, run, lines_in_a_file=lines)
    box.begin()
    for second in seconds:
        box.write([look(second)])
    if close:
        box.close()
    else:  # as a kill leaves it
        assert box._file is not None
        os.close(box._file)
        os.close(box._claim)


def test_it_reads_back_what_was_written(tmp_path: Path) -> None:
    written(tmp_path, 0, 1, 2)
    found = read_recording(tmp_path)
    assert found is not None
    assert (found.run, found.looks, found.is_clean) == (RUN, (look(0), look(1), look(2)), False)
    assert found.last_at == 1002.0


def test_an_end_in_order_leaves_its_mark(tmp_path: Path) -> None:
    written(tmp_path, 0, close=True)
    found = read_recording(tmp_path)
    assert found is not None and found.is_clean


def test_there_is_none_at_first(tmp_path: Path) -> None:
    assert read_recording(tmp_path) is None
    assert read_recording(tmp_path / "not-there") is None


def test_its_files_are_for_their_owner(tmp_path: Path) -> None:
    written(tmp_path, 0, close=True)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9, 30])
def test_between_one_and_two_files_of_looks_are_kept(tmp_path: Path, count: int) -> None:
    written(tmp_path, *range(count), lines=3)
    found = read_recording(tmp_path)
    assert found is not None
    assert found.looks[-1] == look(count - 1)
    assert min(count, 3) <= len(found.looks) <= 6
    assert [x.at for x in found.looks] == sorted(x.at for x in found.looks)


def test_the_next_run_keeps_the_last_minutes_of_the_one_before_until_its_own_file_is_full(tmp_path: Path) -> None:
    written(tmp_path, 0, 1)
    box = BlackBox(tmp_path, LATER)
    assert box.previous is not None and box.previous.run == RUN
    box.begin()
    box.close()
    found = read_recording(tmp_path)
    assert found is not None
    assert (found.run, found.looks, found.is_clean) == (LATER, (), True)
    assert b"boot-1" in b"".join(path.read_bytes() for path in tmp_path.glob("*.jsonl"))


def test_the_newer_run_is_told_by_number_not_by_clock(tmp_path: Path) -> None:
    for run in (RUN, LATER, RUN, LATER):
        written(tmp_path, 0, run=run)
        found = read_recording(tmp_path)
        assert found is not None and found.run == run


def test_a_write_torn_at_any_byte_leaves_the_older_lines_readable(tmp_path: Path) -> None:
    written(tmp_path, *range(5), lines=3)  # the first file is full, the second holds two
    newest = max(tmp_path.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    whole = newest.read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 3, "a head and two looks"
    for cut in range(len(whole) + 1):
        newest.write_bytes(whole[:cut])
        found = read_recording(tmp_path)
        assert found is not None, cut
        whole_lines = sum(cut >= len(b"".join(lines[: at + 1])) for at in range(3))
        assert [x.at - 1000 for x in found.looks] == [0, 1, 2, 3, 4][: 3 + max(0, whole_lines - 1)], cut
        assert not found.is_clean


def test_a_torn_end_mark_is_none(tmp_path: Path) -> None:
    written(tmp_path, 0, close=True)
    (file,) = tmp_path.glob("*.jsonl")
    whole = file.read_bytes()
    for cut in range(len(whole.rpartition(b"\n{")[0]) + 1, len(whole)):
        file.write_bytes(whole[:cut])
        found = read_recording(tmp_path)
        assert found is not None and not found.is_clean, cut


def test_a_line_torn_in_the_middle_costs_only_itself(tmp_path: Path) -> None:
    written(tmp_path, 0, 1, 2)
    (file,) = tmp_path.glob("*.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + lines[1] + lines[2][:20] + b"\n" + lines[3])
    found = read_recording(tmp_path)
    assert found is not None
    assert found.looks == (look(0), look(2))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\0" * 4096,
        b"[]\n",
        b"{}\n",
        b'{"run": {}}\n',
        b'{"run": 1, "number": 1}\n',
        b"\xff\xfe\n",
        b"[" * 9999,
    ],
)
def test_whatever_a_file_holds_it_can_be_begun_anew(tmp_path: Path, content: bytes) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(content)
    assert read_recording(tmp_path) is None
    written(tmp_path, 0, close=True)
    found = read_recording(tmp_path)
    assert found is not None and found.looks == (look(0),)


@pytest.mark.parametrize("field", ["at", "started_at"])
def test_a_moment_in_no_calendar_is_none(tmp_path: Path, field: str) -> None:
    """Whoever writes it as a date would fail at it."""
    written(tmp_path, 0)
    (file,) = tmp_path.glob("*.jsonl")
    whole = file.read_bytes()
    for value in (b"1e300", b"-1e12", b"1" + b"0" * 400):
        file.write_bytes(re.sub(f'"{field}":[0-9.]+'.encode(), f'"{field}":'.encode() + value, whole))
        found = read_recording(tmp_path)
        assert found is None or found.looks == ()


@pytest.mark.parametrize("value", ["NaN", "Infinity", '"hot"', "true", "{}", "1e300", "1" + "0" * 400])
def test_a_look_that_is_no_look_is_left_out(tmp_path: Path, value: str) -> None:
    written(tmp_path, 0)
    (file,) = tmp_path.glob("*.jsonl")
    with file.open("a") as more:
        more.write(f'{{"look":{{"at":1001,"celsius":{value}}}}}\n{{"look":{{"at":1002}}}}\n')
    found = read_recording(tmp_path)
    assert found is not None
    assert [x.at for x in found.looks] == [1000.0, 1002.0]


def test_a_planted_pipe_or_link_is_not_followed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").symlink_to("/etc/hostname")
    assert read_recording(tmp_path) is None
    with pytest.raises(OSError):
        written(tmp_path, 0)
    assert Path("/etc/hostname").read_text() != ""


def test_only_one_sampler_writes_it(tmp_path: Path) -> None:
    box = BlackBox(tmp_path, RUN)
    with pytest.raises(BlackBoxBusy):
        BlackBox(tmp_path, RUN)
    box.close()
    BlackBox(tmp_path, RUN).close()


def test_a_killed_writer_leaves_its_claim_to_the_next_and_every_look_it_synced(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from gate.core.blackbox import *\n"
        "box = BlackBox(Path(sys.argv[1]), Run(host='mini', boot_id='b', pid=1, started_at=1.0)); box.begin()\n"
        "for number in range(250):\n"
        "    box.write([Look(at=float(number))]); print(number, flush=True)\n"
        "sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(20)]
    finally:
        child.kill()
        child.communicate()
    box = BlackBox(tmp_path, RUN)
    assert box.previous is not None and not box.previous.is_clean
    assert {float(number) for number in told} <= {x.at for x in box.previous.looks}
    box.close()


def test_a_full_disk_costs_looks_and_not_what_was_there(tmp_path: Path, namespaces: None) -> None:
    """A real small file system that is full for a while."""
    code = (
        "import os, subprocess, sys; from pathlib import Path\n"
        "from gate.core.blackbox import *\n"
        "top = Path(sys.argv[1])\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 't', str(top)], check=True)\n"
        "box = BlackBox(top, Run(host='mini', boot_id='b', pid=1, started_at=1.0)); box.begin()\n"
        "box.write([Look(at=1.0)])\n"
        "try:\n"
        "    (top / 'ballast').write_bytes(b'x' * 10**6)\n"
        "except OSError: pass\n"
        "full = 0\n"
        "for number in range(200):\n"
        "    try: box.write([Look(at=2.0, work='y' * 100)])\n"
        "    except OSError: full += 1\n"
        "assert full, 'the disk was never full'\n"
        "(top / 'ballast').unlink()\n"
        "box.write([Look(at=3.0)])\n"
        "found = read_recording(top)\n"
        "assert found.looks[0].at == 1.0 and found.looks[-1].at in (2.0, 3.0), found.looks\n"
        "box.write([Look(at=4.0)])\n"
        "assert read_recording(top).looks[-1].at == 4.0\n"
    )
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", code, str(tmp_path)],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
