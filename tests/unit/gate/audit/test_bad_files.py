"""What cannot be read or understood is a problem with its name and cause; the rest is audited all the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gate.core.audit import AuditReport, audit_paths

LAUNCH = b"whisper a.mp3\n"


def audit_bytes(folder: Path, data: bytes, *, name: str = "x.sh") -> AuditReport:
    (folder / name).write_bytes(data)
    return audit_paths([folder / name])


def the_problem(report: AuditReport) -> str:
    (problem,) = report.problems
    return problem


def test_a_binary_file_is_a_problem(tmp_path: Path) -> None:
    report = audit_bytes(tmp_path, LAUNCH + b"\x7fELF\0\0")
    assert the_problem(report) == f"{tmp_path}/x.sh: it is binary"
    assert (report.files_read, report.findings) == (0, ())


def test_utf_16_is_a_problem(tmp_path: Path) -> None:
    assert "binary" in the_problem(audit_bytes(tmp_path, LAUNCH.decode().encode("utf-16")))


def test_a_huge_file_is_a_problem(tmp_path: Path) -> None:
    assert the_problem(audit_bytes(tmp_path, b"#" * 1024**2 + b"\n")).endswith("it is larger than 1024 KiB")
    assert audit_bytes(tmp_path, b"#" * (1024**2 - 1) + b"\n").problems == ()


def test_latin_1_is_read_in_shell(tmp_path: Path) -> None:
    report = audit_bytes(tmp_path, "# Gerät für Köln\necho 'ä'; whisper ä.mp3\n".encode("latin-1"))
    assert report.problems == ()
    assert [(finding.line, finding.text) for finding in report.findings] == [(2, "echo 'ä'; whisper ä.mp3")]


def test_latin_1_is_read_in_python_when_it_is_declared(tmp_path: Path) -> None:
    text = "# -*- coding: latin-1 -*-\nimport os\nos.system('whisper ä.mp3')\n".encode("latin-1")
    assert [finding.line for finding in audit_bytes(tmp_path, text, name="x.py").findings] == [3]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        ("x = 'ä'\n".encode("latin-1"), "not Python that can be read"),
        (b"# coding: no-such-coding\nx = 1\n", "unknown encoding"),
        (b"x = 1\nif x\n", "line 2"),
        (b"print 'python 2'\n", "line 1"),
        (b"(" * 5000, "nested"),
    ],
)
def test_python_that_does_not_parse_is_a_problem(data: bytes, cause: str, tmp_path: Path) -> None:
    assert cause in the_problem(audit_bytes(tmp_path, data, name="x.py"))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("echo 'never closed\n", "line 1: the quote that begins here (') is not closed"),
        ('ls\necho "never closed\n', 'line 2: the quote that begins here (") is not closed'),
        ("x=$(ls\n", "line 1: the $( that begins here is not closed"),
        ("x=${y\n", "line 1: the ${ that begins here is not closed"),
        ("x=`ls\n", "line 1: the backtick"),
        ("if true; then\n  ls\n", "`fi` is missing for the `if` of line 1"),
        ("for f in *; do\n  ls\n", "`done` is missing for the `for` of line 1"),
        ("ls\nfi\n", "line 2: `fi` closes nothing that is open"),
        ("ls )\n", "line 1: `)` closes nothing that is open"),
        ("[[ -f x\n", "line 1: the [[ that begins here is not closed"),
        ("(" * 3000, "nested too deeply"),
    ],
)
def test_shell_that_does_not_parse_is_a_problem(text: str, cause: str, tmp_path: Path) -> None:
    assert any(cause in problem for problem in audit_bytes(tmp_path, text.encode()).problems)


def test_what_stands_before_a_syntax_error_is_still_audited(tmp_path: Path) -> None:
    report = audit_bytes(tmp_path, LAUNCH + b"if true; then\n  whisper b.mp3\n  echo 'open\n")
    assert [finding.line for finding in report.findings] == [1]
    assert report.files_read == 1
    assert len(report.problems) == 1


def test_python_inside_a_script_that_does_not_parse_is_a_problem(tmp_path: Path) -> None:
    report = audit_bytes(tmp_path, b"ls\npython - <<'EOF'\nx = $NUM_CHUNKS\nEOF\nwhisper a\n")
    assert "x.sh: line 3: this is not Python that can be read" in the_problem(report)
    assert [finding.line for finding in report.findings] == [5]


def test_links_and_pipes_are_problems_and_do_not_hang(tmp_path: Path) -> None:
    (tmp_path / "broken.sh").symlink_to("nowhere")
    (tmp_path / "loop.sh").symlink_to("loop.sh")
    os.mkfifo(tmp_path / "pipe.sh")
    (tmp_path / "good.sh").write_bytes(LAUNCH)
    report = audit_paths([tmp_path])
    assert report.problems == (
        f"{tmp_path}/broken.sh: no such file or directory",
        f"{tmp_path}/loop.sh: too many levels of symbolic links",
        f"{tmp_path}/pipe.sh: it is no regular file",
    )
    assert [finding.path.name for finding in report.findings] == ["good.sh"]


def test_a_folder_with_the_name_of_a_script_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x.sh").mkdir()
    (tmp_path / "x.sh" / "in.sh").write_bytes(LAUNCH)
    assert [finding.path.name for finding in audit_paths([tmp_path]).findings] == ["in.sh"]
    assert len(audit_paths([tmp_path / "x.sh"]).findings) == 1


def test_a_named_file_that_is_no_script_is_a_problem(tmp_path: Path) -> None:
    assert "neither its name nor its first line" in the_problem(audit_bytes(tmp_path, LAUNCH, name="notes.txt"))


@pytest.mark.parametrize("name", ["missing.sh", "missing/x.sh", "x" * 300 + ".sh"])
def test_a_path_that_does_not_exist_is_a_problem(name: str, tmp_path: Path) -> None:
    report = audit_paths([tmp_path / name])
    assert the_problem(report).startswith(f"{tmp_path}/{name}: ")
    assert report.files_read == 0


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbfls\n", b"#!/bin/bash", b"\\", b"&", b"$", b";;\n"])
def test_odd_files_are_survived(data: bytes, tmp_path: Path) -> None:
    assert audit_bytes(tmp_path, data).findings == ()


def test_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    report = audit_bytes(tmp_path, b"for f in *; do\r\n  whisper $f \\\r\n    --model tiny\r\ndone\r\n")
    assert ([finding.line for finding in report.findings], report.problems) == ([2], ())


def test_python_that_only_warns_is_read(tmp_path: Path) -> None:
    report = audit_bytes(tmp_path, b"import os\nos.system('whisper \\d')\nassert (1, 'x')\n", name="x.py")
    assert ([finding.line for finding in report.findings], report.problems) == ([2], ())


def test_a_file_that_fits_nowhere_names_its_first_problems_only(tmp_path: Path) -> None:
    assert len(audit_bytes(tmp_path, b"fi\n" * 50).problems) == 3


def test_functions_that_call_each_other_in_a_knot_end(tmp_path: Path) -> None:
    calls = "\n".join(
        f'f{n}() {{ f{(n + 1) % 9} "$1" a; f{(n + 2) % 9} "$1" b; f{(n + 5) % 9} "x$1"; }}' for n in range(9)
    )
    report = audit_bytes(tmp_path, f"{calls}\nf0 start\nwhisper a\n".encode())
    assert report.files_read == 1
    assert report.findings != () or "only these were followed" in the_problem(report)
