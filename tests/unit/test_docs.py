"""What the documents name is there: links, paths, commands, options, variables, figures; the examples run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from bench.__main__ import PARTS
from gate.core.policy import GatePolicy
from gate.core.requirement import requirement_for_model
from gate.core.units import GIB

BASE = Path(__file__).resolve().parents[2]
DOCUMENTS = [BASE / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    (BASE / "docs").glob("*.md")
)
NAMES = [str(path.relative_to(BASE)) for path in DOCUMENTS]
FOLDERS = ("bench", "docs", "gate", "j5a_admin", "ops", "static", "templates", "tests", "tools", "transcribe", ".ci")
NOT_THERE = ("not built yet", "not there yet")


def text_of(name: str) -> str:
    return (BASE / name).read_text(encoding="utf-8")


def code_of(text: str) -> Iterator[str]:
    """Inline code, and the lines of indented or fenced blocks; not what a line says is not built yet."""
    for line in text.splitlines():
        if any(words in line for words in NOT_THERE):
            continue
        if re.match(r" {4}(?! *[-\d|])", line):
            yield line.strip()
        else:
            yield from re.findall(r"`([^`]+)`", line)


def anchors(file: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    missing = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (BASE / name).parent / path if path else BASE / name
        if not file.exists() or (anchor and anchor not in anchors(file)):
            missing.append(target)
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_every_path_is_there(name: str) -> None:
    found = {span for code in code_of(text_of(name)) for span in re.findall(r"(?<![\w./-])[\w.][\w./-]*", code)}
    paths = {span for span in found if span.split("/")[0] in FOLDERS and "/" in span}
    assert {path for path in paths if not (BASE / path).exists()} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = {target for code in code_of(text_of(name)) for target in re.findall(r"\bmake ([a-z-]+)", code)}
    assert named - targets == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_option_exists(name: str) -> None:
    wrong = []
    for code in code_of(text_of(name)):
        for command, rest in re.findall(r"manage\.py ([a-z_]+)([^`]*)", code):
            if command not in get_commands():
                wrong.append(command)
                continue
            options = set(re.findall(r"(?<!\S)--[\w-]+", rest))
            wrong += [f"{command} {option}" for option in sorted(options - known_options(command, rest))]
    assert wrong == []


def known_options(command: str, rest: str) -> set[str]:
    """What the command takes; of `gate check` and its like, what that action takes."""
    import argparse

    parser: argparse.ArgumentParser = load_command_class(get_commands()[command], command).create_parser("m", command)
    known = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            word = rest.split()[0]
            assert word in action.choices, f"{command} {word}"
            known |= set(action.choices[word]._option_string_actions)
    return known


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_explained(name: str) -> None:
    explained = set(re.findall(r"^\| `(J5A_[A-Z_]+)`", text_of("docs/settings.md"), re.MULTILINE))
    explained.add("J5A_PYTHON")  # of the shell face alone: explained at the end of settings.md
    assert set(re.findall(r"\bJ5A_[A-Z_]+\b", text_of(name))) - explained == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_part_of_the_benchmark_exists(name: str) -> None:
    assert set(re.findall(r"-m bench ([a-z]+)", text_of(name))) - set(PARTS) == set()


def test_every_rule_has_a_module_and_a_test_or_says_why_not() -> None:
    rows = [line for line in text_of("docs/protocol.md").splitlines() if line.startswith("| ")]
    rules = [row for row in rows if not row.startswith(("| rule", "| check |", "| in the document"))]
    assert len(rules) > 40
    open_rows = ("not built yet", "no page", "nothing writes", "no test of its own yet", "measured in")
    documented = rules[: next(at for at, row in enumerate(rules) if "resource_safety_gate.sh" in row)]
    assert [row for row in documented if "`tests/" not in row and not any(words in row for words in open_rows)] == []


FAULT_TABLES, _, MISTAKES = text_of("docs/reliability.md").partition("\n## Mistakes found so far\n")
FAULTS = [line for line in FAULT_TABLES.splitlines() if re.match(r"\| (?!fault )", line)]


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row[2:40])
def test_every_fault_names_a_test_that_its_tier_runs(row: str) -> None:
    tests = re.findall(r"`tests/([a-z]+)/([\w/.]*)`", row)
    assert tests, "no test"
    for tier, name in tests:
        path = BASE / "tests" / tier / name
        files = sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
        assert any(re.search(r"^def test_", file.read_text(), re.MULTILINE) for file in files), f"{path} tests nothing"
        assert re.search(rf"pytest.* tests/{tier}$|PYTEST\) tests/{tier}$", text_of("Makefile"), re.MULTILINE)
    told = row.rstrip("| ").rpartition("|")[2]
    assert {tier.strip() for tier in told.split(",")} == {tier for tier, _ in tests}


def test_there_are_faults_and_mistakes() -> None:
    assert len(FAULTS) > 45
    assert MISTAKES.count("`tests/") > 100


def test_every_package_is_explained() -> None:
    told = text_of("docs/architecture.md")
    lines = [line for name in ("requirements.txt", "requirements-dev.txt") for line in text_of(name).splitlines()]
    packages = [line.partition("==")[0] for line in lines if "==" in line]
    assert len(packages) > 20
    cells = " ".join(line.split("|")[1] for line in told.splitlines() if line.startswith("| "))
    named = set(re.findall(r"[a-z0-9-]+", cells))
    assert {package for package in packages if package not in named} == set()


def test_the_memory_figures_are_those_of_the_gate() -> None:
    rows = re.findall(r"^ +\| (`.+?) \| (\d+) GiB \| (\d+) GiB \|", text_of("README.md"), re.MULTILINE)
    assert len(rows) == 5
    for names, needs, with_margin in rows:
        for model in re.findall(r"`([^`]+)`", names):
            required = requirement_for_model(model).bytes
            assert required == int(needs) * GIB
            assert required + GatePolicy().margin_bytes == int(with_margin) * GIB


EXAMPLES = [code for code in code_of(text_of("README.md")) if "manage.py transcribe " in code and " --help" not in code]


@pytest.mark.parametrize("example", [code for code in EXAMPLES if code.startswith(".venv/")])
def test_every_example_works(example: str, tmp_path: Path) -> None:
    words = shlex.split(example)
    words[0] = sys.executable
    if "--output_dir" in words:
        words[words.index("--output_dir") + 1] = str(tmp_path / "out")
    else:
        words += ["--output_dir", str(tmp_path / "out")]
    own = {"J5A_DATA_DIR": str(tmp_path / "var"), "J5A_LOCK_DIR": str(tmp_path / "locks"), "J5A_MARGIN_GIB": "0.5"}
    done = subprocess.run(words, cwd=BASE, env={**os.environ, **own}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    written = {path.stem for path in (tmp_path / "out").iterdir()}
    assert written == {Path(word).stem for word in words if word.endswith((".mp3", ".flac"))}


def test_there_are_examples() -> None:
    assert len([code for code in EXAMPLES if code.startswith(".venv/")]) == 3
