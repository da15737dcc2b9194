"""An answer that nobody reads changes no exit code; one that cannot be written is no answer. Never a stack trace."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.run_place import PATIENT_SECONDS, Place

CHECK = ("check", "--model", "tiny")


def nobody_reads(place: Place, *words: str | bytes) -> tuple[int, str]:
    read, write = os.pipe()
    os.close(read)
    try:
        process = place.start(*words, stdout=write)
    finally:
        os.close(write)
    return process.wait(PATIENT_SECONDS), place.err(process)


def test_a_reader_that_is_gone_changes_nothing(place: Place, tmp_path: Path) -> None:
    assert nobody_reads(place, *CHECK) == (0, "")
    assert nobody_reads(place, "lock", "show") == (0, "")
    script = tmp_path / "odd.txt"
    script.write_bytes(b"\0")
    assert nobody_reads(place, "audit", str(script)) == (2, "")  # 1 would say that something was found


@pytest.mark.parametrize("words", [CHECK, ("lock", "show")], ids=" ".join)
def test_a_full_disk_is_no_answer(place: Place, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        process = place.start(*words, stdout=full)
        assert process.wait(PATIENT_SECONDS) == 2
    assert place.err(process) == (
        "CommandError: The answer cannot be written to standard output (No space left on device).\n"
    )


def test_the_doctor_keeps_to_it(place: Place) -> None:
    doctor: list[str | bytes] = [sys.executable, "manage.py", "doctor"]
    with Path("/dev/full").open("w") as full:
        process = place.start_any(doctor, stdout=full)
        assert process.wait(PATIENT_SECONDS) == 2
    read, write = os.pipe()
    os.close(read)
    unread = place.start_any(doctor, stdout=write)
    os.close(write)
    assert unread.wait(PATIENT_SECONDS) in (0, 1)  # as the machine is
    assert "Traceback" not in place.err(process) + place.err(unread)


def test_a_name_that_the_terminal_cannot_show_is_escaped(place: Place, tmp_path: Path) -> None:
    script = os.fsencode(tmp_path) + b"/\xff.sh"
    Path(os.fsdecode(script)).write_text("whisper talk.wav\n")
    process = place.start_any(["env", "PYTHONIOENCODING=ascii", sys.executable, "manage.py", "gate", "audit", script])
    out, _ = process.communicate(timeout=PATIENT_SECONDS)
    assert process.returncode == 1, place.err(process)
    assert "\\udcff.sh:1: J5A001" in out


@pytest.mark.parametrize(
    ("model", "shown"),
    [(b"\xff", "“?” is no model"), ("x" * 5000, "xxx…” is neither a model")],
    ids=["bytes", "long"],
)
def test_a_model_of_odd_bytes_or_of_any_length_is_a_usage_error(place: Place, model: str | bytes, shown: str) -> None:
    code, out, err = place.run("check", "--model", model)
    assert (code, out) == (2, "")
    assert shown in err
    assert "Traceback" not in err


def test_a_database_of_another_kind_is_said(place: Place) -> None:
    (place.root / "var" / "j5a.sqlite3").write_bytes(b"not one of ours" * 100)
    code, _, err = place.run(*CHECK)
    assert code == 2
    assert "The database does not answer (file is not a database)" in err
    assert "Traceback" not in err


def test_a_disk_without_room_for_the_first_database_is_said(tmp_path: Path) -> None:
    place = Place(tmp_path)
    limited = ["bash", "-c", 'ulimit -f 64; exec "$@"', "-", sys.executable, "manage.py", "gate", *CHECK]
    try:
        process = place.start_any([*limited])
        assert process.wait(PATIENT_SECONDS) == 2
        assert "The database does not answer (" in place.err(process)
        assert "Traceback" not in place.err(process)
    finally:
        place.stop()
