"""Files of other projects are exactly those that were published, each with its source and licence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "static"
VENDOR = STATIC / "vendor"


@dataclass(frozen=True)
class Vendored:
    sha256: str
    path: str
    version: str
    source: str
    licence: str


def listed() -> list[Vendored]:
    lines = (VENDOR / "VENDORED").read_text().splitlines()
    return [Vendored(*line.split("  ")) for line in lines if line and not line.startswith("#")]


def test_every_vendored_file_is_listed_and_nothing_else() -> None:
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()} - {"VENDORED"}
    assert {entry.path for entry in listed()} == there


@pytest.mark.parametrize("entry", listed(), ids=lambda entry: entry.path)
def test_a_vendored_file_is_the_published_one(entry: Vendored) -> None:
    assert hashlib.sha256((VENDOR / entry.path).read_bytes()).hexdigest() == entry.sha256


@pytest.mark.parametrize("entry", listed(), ids=lambda entry: entry.path)
def test_its_version_and_source_agree_with_its_folder(entry: Vendored) -> None:
    assert entry.path.split("/")[0].endswith(f"-{entry.version}")
    assert entry.source.startswith("https://")
    assert entry.version in entry.source
    assert entry.licence


def test_every_vendored_folder_carries_its_licence() -> None:
    for folder in VENDOR.iterdir():
        assert folder.name == "VENDORED" or (folder / "LICENSE").is_file()


def test_no_script_names_a_source_map_and_no_style_another_host() -> None:
    """The manifest would stop at a map that is not there, and a browser would ask another host for one that is."""
    for path in STATIC.rglob("*"):
        if path.suffix in {".js", ".css"}:
            text = path.read_text()
            assert "sourceMappingURL" not in text, path
            assert "@import" not in text, path
            assert "url(http" not in text.replace('url("http', "url(http"), path


def test_pages_take_htmx_from_here() -> None:
    template = (Path(settings.BASE_DIR) / "templates" / "panel.html").read_text()
    assert {entry.path for entry in listed() if entry.path.endswith(".js") and entry.path not in template} == set()
