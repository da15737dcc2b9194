"""`gate audit`: what it prints, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.cli.audit import audit_command


def run(*paths: Path, as_json: bool = False) -> tuple[int, str]:
    said: list[str] = []
    code = audit_command([str(path) for path in paths], as_json=as_json, write=said.append)
    return code, "\n".join(said)


def test_it_ends_with_0_when_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("ls\n")
    assert run(tmp_path) == (0, "No finding in 1 file.")


def test_it_ends_with_1_and_names_file_line_rule_and_mend(tmp_path: Path) -> None:
    path = tmp_path / "a.sh"
    path.write_text("ls\nrm -f /tmp/j5a_locks/whisper_large.lock\n")
    code, said = run(path)
    assert code == 1
    first, mend, closing = said.splitlines()
    assert first == f"{path}:2: J5A005 rm removes the lock file, whoever holds it."
    assert mend.startswith("    Leave the file.")
    assert closing == "1 finding in 1 file."


def test_a_name_of_control_characters_stays_in_its_line(tmp_path: Path) -> None:
    (tmp_path / "a\n0 findings.\x1b[2K.sh").write_text("rm -f /tmp/j5a_locks/whisper_large.lock\n")
    (tmp_path / "b\r.sh").write_bytes(b"\0")
    code, said = run(tmp_path)
    assert code == 2
    assert said.splitlines()[0].startswith(f"{tmp_path}/a\\n0 findings.\\x1b[2K.sh:1: J5A005")
    assert f"Problem: {tmp_path}/b\\r.sh: " in said
    assert len(said.splitlines()) == 4


def test_it_ends_with_2_when_nothing_could_be_read(tmp_path: Path) -> None:
    assert run(tmp_path) == (2, "No finding in 0 files.")
    (tmp_path / "a.sh").write_bytes(b"\0")
    code, said = run(tmp_path)
    assert code == 2
    assert said.splitlines() == [
        f"Problem: {tmp_path}/a.sh: it is binary.",
        "No finding in 0 files; 1 problem, which may hide more.",
    ]


def test_it_ends_with_2_when_a_path_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("ls\n")
    code, said = run(tmp_path, tmp_path / "missing")
    assert code == 2
    assert f"Problem: {tmp_path}/missing: no such file or directory." in said


def test_a_missing_path_is_2_and_what_is_found_beside_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("whisper a.mp3\n")
    code, said = run(tmp_path / "missing", tmp_path)
    assert code == 2
    assert f"{tmp_path}/a.sh:1: J5A001" in said


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("b.sh", b"echo 'open\n"),
        ("b.sh", b"if true; then ls\n"),
        ("b.py", b"if x\n"),
        ("b.py", b"\xff"),
        ("b.sh", b"\0"),
    ],
)
def test_it_ends_with_2_and_names_a_file_that_cannot_be_judged(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    for text, finding in (("ls\n", ""), ("whisper a.mp3\n", f"{tmp_path}/a.sh:1: J5A001")):
        (tmp_path / "a.sh").write_text(text)
        code, said = run(tmp_path)
        assert code == 2
        assert f"Problem: {tmp_path}/{name}: " in said
        assert finding in said


def test_it_ends_with_2_when_a_file_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("ls\n")
    (tmp_path / "b.sh").symlink_to("nowhere")
    assert run(tmp_path)[0] == 2


def test_json_has_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.sh"
    path.write_text("MAX_PARALLEL=4 # ä\n")
    (tmp_path / "b.sh").write_bytes(b"\0")
    code, said = run(tmp_path, as_json=True)
    answer = json.loads(said)
    assert code == 2
    assert answer["files_read"] == 1
    assert answer["problems"] == [f"{tmp_path}/b.sh: it is binary"]
    (finding,) = answer["findings"]
    mend = finding.pop("mend")
    assert "calculate_safe_parallel_count" in mend
    assert finding == {
        "path": str(path), "line": 1, "rule": "J5A002", "message": "MAX_PARALLEL is 4.", "text": "MAX_PARALLEL=4 # ä",
    }  # fmt: skip


def test_json_is_one_document_when_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("ls\n")
    code, said = run(tmp_path, as_json=True)
    assert (code, json.loads(said)) == (0, {"findings": [], "files_read": 1, "problems": []})
