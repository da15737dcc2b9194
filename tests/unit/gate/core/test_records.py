from __future__ import annotations

import json

import pytest

from gate.core.records import LockRecord, MalformedRecord, encode_record, parse_pid_line, parse_record

RECORD = LockRecord(
    pid=42, host="mini", user="me", command="python -m transcribe.engine", model="large-v3", job_ref="7",
    since_unix=1.5, start_ticks=99, boot_id="b", line_mtime_ns=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("data", "pid"),
    [
        (b"1\n", 1),
        (b"12345\n", 12345),
        (b"12345", 12345),
        (b"12\n\n\n", 12),
        (b"4194304\n", 4194304),
        (b"4194305\n", None),
        (b"2147483648\n", None),
        (b"0\n", None),
        (b"-1\n", None),
        (b"+5\n", None),
        (b"007\n", None),
        (b"", None),
        (b"\n", None),
        (b"12 13\n", None),
        (b"12\nhost\n", None),
        (b"12abc", None),
        (b"\xff\xfe\x00", None),
        ("١٢".encode(), None),
        (b"9" * 60_000, None),
    ],
)
def test_parse_pid_line_takes_one_plausible_pid_only(data: bytes, pid: int | None) -> None:
    assert parse_pid_line(data) == pid


def test_a_record_comes_back_as_it_was() -> None:
    assert parse_record(encode_record(RECORD)) == RECORD


def test_keys_of_later_versions_are_passed_over() -> None:
    raw = json.loads(encode_record(RECORD)) | {"later": [1, 2]}
    assert parse_record(json.dumps(raw).encode()) == RECORD


def test_only_pid_and_host_are_required() -> None:
    assert parse_record(b'{"pid": 3, "host": "h"}') == LockRecord(pid=3, host="h")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"\xff", b'"text"', b'{"pid": 3}', b'{"host": "h"}',
        b'{"pid": "3", "host": "h"}', b'{"pid": 0, "host": "h"}', b'{"pid": -1, "host": "h"}',
        b'{"pid": 2147483648, "host": "h"}', b'{"pid": true, "host": "h"}', b'{"pid": 3, "host": 4}',
        b'{"pid": 3, "host": "h", "start_ticks": "x"}', b"[" * 60_000,
    ],
)  # fmt: skip
def test_malformed_records_are_told(data: bytes) -> None:
    with pytest.raises(MalformedRecord):
        parse_record(data)


@pytest.mark.parametrize(("pid", "possible"), [(0, False), (1, True), (4194304, True), (4194305, False)])
def test_a_record_names_a_pid_that_can_be(pid: int, possible: bool) -> None:
    data = json.dumps({"pid": pid, "host": "h"}).encode()
    if possible:
        assert parse_record(data).pid == pid
        return
    with pytest.raises(MalformedRecord, match="impossible"):
        parse_record(data)
