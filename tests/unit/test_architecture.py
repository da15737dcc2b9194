"""The arrows of import, read from the source: j5a_admin → transcribe → gate → gate.core, and what may import what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

BASE = Path(__file__).resolve().parents[2]
PACKAGES = ("j5a_admin", "transcribe", "gate")
LINES_LIMIT = 350  # the aim is 300; beyond this a file has two subjects

FORBIDDEN = {
    "gate/core": {"django", "gate.models", "gate.services", "gate.conf", "transcribe", "j5a_admin"},
    "gate": {"transcribe", "j5a_admin"},
    "transcribe/engine": {
        "django",
        "gate.cli",
        "gate.conf",
        "gate.models",
        "gate.services",
        "j5a_admin",
        "transcribe.models",
        "transcribe.services",
    },
    "transcribe/audio": {"django", "gate", "j5a_admin", "transcribe.models", "transcribe.services"},
    "transcribe": {"j5a_admin"},
}
TORCH_HOMES = {f"transcribe/engine/{name}.py" for name in ("openai_whisper", "spectrogram", "windows")}
ONLY_IN = {
    "psutil": {"gate/core/sensors.py"},
    "torch": TORCH_HOMES,
    "whisper": TORCH_HOMES,
    "subprocess": {
        "transcribe/supervisor.py",
        "transcribe/audio/child_process.py",
        "transcribe/audio/probe.py",
        "j5a_admin/supervise.py",
        "gate/cli/command_process.py",
        "gate/kernel_log.py",
        "gate/cli/guardian_process.py",
    },
}


def sources() -> list[str]:
    files = [path for package in PACKAGES for path in (BASE / package).rglob("*.py")]
    return sorted(str(path.relative_to(BASE)) for path in files if "migrations" not in path.parts)


def imports(relative: str) -> Iterator[str]:
    """Every module name imported anywhere in the file, in functions too."""
    for node in ast.walk(ast.parse((BASE / relative).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative}: relative import"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_or_below(module: str, root: str) -> bool:
    return module == root or module.startswith(root + ".")


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_run_one_way(folder: str) -> None:
    wrong = [
        f"{relative} imports {module}"
        for relative in sources()
        if relative.startswith(folder + "/")
        for module in imports(relative)
        if any(is_or_below(module, root) for root in FORBIDDEN[folder])
    ]
    assert wrong == []


@pytest.mark.parametrize("module", ONLY_IN)
def test_heavy_and_delicate_modules_have_one_home(module: str) -> None:
    importers = {relative for relative in sources() if any(is_or_below(name, module) for name in imports(relative))}
    strangers = {name for name in importers if not any(name.startswith(home) for home in ONLY_IN[module])}
    assert strangers == set()


def test_files_keep_one_subject() -> None:
    long = {relative: count for relative in sources() if (count := lines(relative)) > LINES_LIMIT}
    assert long == {}


def lines(relative: str) -> int:
    return len((BASE / relative).read_text().splitlines())
