"""A log's size and positions: the middle goes, the writer goes on, and who follows sees each line once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from transcribe.engine_logs import SHOWN_BYTES, log_cap, log_read, plain_text

HEAD, TAIL, LIMIT = 100, 200, 1000


def cap(path: Path) -> bool:
    return log_cap(path, LIMIT, HEAD, TAIL)


def lines(first: int, last: int) -> bytes:
    return b"".join(b"line %05d\n" % number for number in range(first, last))  # 11 bytes each


def follow(path: Path, begins_at: int, *, is_complete: bool = False) -> tuple[str, int]:
    part = log_read(path, begins_at, is_complete=is_complete, head=HEAD)
    return part.text, part.ends_at


@pytest.mark.parametrize(("size", "cut"), [(0, False), (999, False), (1000, False), (1001, True)])
def test_it_is_cut_above_the_limit(tmp_path: Path, size: int, cut: bool) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * size)
    assert cap(path) is cut
    assert path.stat().st_size < LIMIT + 1


def test_beginning_and_end_stay_and_what_was_left_out_is_counted_over_all_cuts(tmp_path: Path) -> None:
    path = tmp_path / "log"
    whole = b""
    path.touch()
    for part in range(20):
        new = lines(part * 50, part * 50 + 50)
        whole += new
        with path.open("ab") as file:
            file.write(new)
        cap(path)
    found = path.read_bytes()
    assert found[:HEAD] == whole[:HEAD]
    gap = found.index(b"bytes of this log were left out")
    dropped = int(found[gap - 16 : gap - 1])
    kept_behind = found[found.index("…]\n".encode()) + len("…]\n".encode()) :]
    assert whole.endswith(kept_behind)
    assert dropped == len(whole) - HEAD - len(kept_behind)


def test_a_process_that_appends_goes_on_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    program = (
        "import sys\nfor line in sys.stdin: print(line, end='', file=sys.stderr, flush=True); print('ok', flush=True)"
    )
    with path.open("ab") as log:
        writer = subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert writer.stdin is not None
        assert writer.stdout is not None

        def write(data: bytes) -> None:
            writer.stdin.write(data)  # type: ignore[union-attr]
            writer.stdin.flush()  # type: ignore[union-attr]
            for _ in range(data.count(b"\n")):
                writer.stdout.readline()  # type: ignore[union-attr]

        write(lines(0, 200))
        assert cap(path)
        write(lines(200, 201))
        found = path.read_bytes()
        assert found.endswith(lines(195, 201))
        assert b"\0" not in found
        assert len(found) < LIMIT
    finally:
        writer.kill()
        writer.wait()
        writer.stdin.close()  # type: ignore[union-attr]
        writer.stdout.close()  # type: ignore[union-attr]


def test_who_follows_sees_each_line_once_whatever_is_cut_meanwhile(tmp_path: Path) -> None:
    path, seen, position = tmp_path / "log", "", 0
    path.touch()
    for part in range(30):
        with path.open("ab") as file:
            file.write(lines(part * 10, part * 10 + 10))
        cap(path)
        text, position = follow(path, position)
        seen += text
    assert seen.encode() == lines(0, 300)


def test_only_whole_lines_are_given_until_it_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo")
    assert follow(path, 0) == ("one\n", 4)
    assert follow(path, 4) == ("", 4)
    assert follow(path, 4, is_complete=True) == ("two", 7)


def test_of_a_long_log_the_last_part_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x\n" * SHOWN_BYTES)
    part = log_read(path, 0, is_complete=True)
    assert (len(part.text), part.skipped_bytes, part.ends_at) == (SHOWN_BYTES, SHOWN_BYTES, 2 * SHOWN_BYTES)


def test_a_position_that_is_none_begins_anew_and_a_missing_log_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    assert follow(path, 10**15) == ("one\n", 4)
    assert follow(tmp_path / "none", 7) == ("", 7)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    secret, link = tmp_path / "secret", tmp_path / "log"
    secret.write_bytes(b"s" * 5000)
    link.symlink_to(secret)
    assert cap(link) is False
    assert follow(link, 0, is_complete=True) == ("", 0)
    assert secret.stat().st_size == 5000


def test_control_characters_do_not_reach_the_page() -> None:
    assert plain_text(b"\x1b[31mred\x1b[0m 10%\r20%\r\n\x07\x00\xff") == "red 10%\n20%\n�"
