"""Which files in a folder are audited, and as what."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.core.audit import audit_paths

SHELL, PYTHON = "whisper a.mp3\n", "import os\nos.system('whisper a.mp3')\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.sh", SHELL),
        ("a.bash", SHELL),
        ("a.zsh", SHELL),
        ("a.py", PYTHON),
        ("job", "#!/bin/sh\n" + SHELL),
        ("job", "#! /usr/bin/env bash\n" + SHELL),
        ("job", "#!/usr/bin/env -S bash -e\n" + SHELL),
        ("job", "#!/usr/bin/env -S FOO=1 zsh\n" + SHELL),
        ("job", "#!/usr/bin/dash\n" + SHELL),
        ("job", "#!/usr/bin/python3.11\n" + PYTHON),
        ("job", "#!/usr/bin/env python3\n" + PYTHON),
        (".hidden", "#!/bin/bash\n" + SHELL),
        (".hooks/pre-commit", "#!/bin/bash\n" + SHELL),
        ("deep/er/a.sh", SHELL),
        ("wrong.sh", "#!/usr/bin/env python3\n" + PYTHON),
        ("wrong.py", "#!/bin/bash\n" + SHELL),
    ],
)
def test_it_audits_shell_and_python(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    report = audit_paths([tmp_path])
    assert [finding.path for finding in report.findings] == [path]
    assert (report.files_read, report.problems) == (1, ())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", SHELL),
        ("a.md", SHELL),
        ("a.sh.bak", SHELL),
        ("Makefile", "all:\n\twhisper a.mp3\n"),
        ("job", SHELL),
        ("job", "#!/usr/bin/perl\nsystem('whisper a.mp3')\n"),
        ("job", "#!/usr/bin/env node\nwhisper\n"),
        ("job", "#!\n"),
        ("a.pyc", PYTHON),
        (".git/hooks/x.sh", SHELL),
        (".venv/bin/x.py", PYTHON),
        ("venv/x.py", PYTHON),
        ("web/node_modules/x/x.sh", SHELL),
        ("__pycache__/x.py", PYTHON),
    ],
)
def test_it_passes_over_other_files_in_a_folder(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    report = audit_paths([tmp_path])
    assert (report.findings, report.files_read, report.problems) == ((), 0, ())


def test_a_skipped_folder_is_audited_when_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "a.sh").write_text(SHELL)
    assert len(audit_paths([tmp_path / "venv"]).findings) == 1


def test_a_named_file_is_read_by_its_first_line_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "run.command").write_text("#!/bin/zsh\n" + SHELL)
    assert len(audit_paths([tmp_path / "run.command"]).findings) == 1


def test_linked_folders_are_not_followed_and_linked_files_are(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.sh").write_text(SHELL)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tree" / "up").symlink_to(tmp_path)
    assert audit_paths([tmp_path / "tree"]).files_read == 0
    (tmp_path / "tree" / "b.sh").symlink_to(tmp_path / "elsewhere" / "a.sh")
    assert [finding.path.name for finding in audit_paths([tmp_path / "tree"]).findings] == ["b.sh"]


def test_a_file_that_is_named_twice_is_audited_once(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text(SHELL)
    (tmp_path / "b.sh").symlink_to("a.sh")
    assert audit_paths([tmp_path / "a.sh", tmp_path, tmp_path / "a.sh"]).files_read == 1


def test_findings_come_in_the_order_of_names_and_lines(tmp_path: Path) -> None:
    (tmp_path / "b.sh").write_text(SHELL * 2)
    (tmp_path / "a.sh").write_text("true\nwhisper a.mp3 &\n")
    found = [(finding.path.name, finding.line, finding.rule) for finding in audit_paths([tmp_path]).findings]
    assert found == [("a.sh", 2, "J5A001"), ("a.sh", 2, "J5A003"), ("b.sh", 1, "J5A001"), ("b.sh", 2, "J5A001")]


def test_a_finding_has_the_line_as_it_stands_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.sh").write_text("\n  whisper a.mp3\t--model 'x\x1b[31m'  # now\n")
    (finding,) = audit_paths([tmp_path]).findings
    assert finding.text == "whisper a.mp3 --model 'x [31m'  # now"
