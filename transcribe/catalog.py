"""The models and languages openai-whisper knows, read from its source: importing it would load torch."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SHA256_HEX_CHARACTERS = 64


class CatalogError(Exception):
    """openai-whisper is missing, or its source no longer has the shape that is read here."""


@dataclass(frozen=True, kw_only=True)
class CatalogModel:
    """One published checkpoint. Several names may share a file ("large" is "large-v3")."""

    name: str
    url: str
    sha256: str
    file_name: str
    english_only: bool


@cache
def catalog() -> tuple[CatalogModel, ...]:
    """Every name `whisper.load_model` takes, in whisper's own order. Raises CatalogError."""
    return tuple(_model(name, url) for name, url in _string_table("__init__.py", "_MODELS").items())


def model_named(name: str) -> CatalogModel | None:
    return next((model for model in catalog() if model.name == name), None)


def languages() -> dict[str, str]:
    """Language code to English name ("de": "german"), in whisper's own order. Raises CatalogError."""
    return dict(_languages())


@cache
def _languages() -> dict[str, str]:
    return _string_table("tokenizer.py", "LANGUAGES")


def language_code(text: str) -> str | None:
    """The code for a code or name in any case ("de", "German", "Castilian"); None when there is none."""
    wanted = text.strip().lower()
    if wanted in languages():
        return wanted
    by_name = {name: code for code, name in languages().items()} | _aliases()
    return by_name.get(wanted)


@cache
def _aliases() -> dict[str, str]:
    """Other names of languages: the written-out entries of TO_LANGUAGE_CODE, which begins with `**{…}`."""
    node = _assigned("tokenizer.py", "TO_LANGUAGE_CODE")
    if not isinstance(node, ast.Dict):
        raise _changed("tokenizer.py", "TO_LANGUAGE_CODE")
    pairs = zip(node.keys, node.values, strict=True)
    return {
        key.value: value.value
        for key, value in pairs
        if isinstance(key, ast.Constant)
        and isinstance(key.value, str)
        and isinstance(value, ast.Constant)
        and isinstance(value.value, str)
    }


def _model(name: str, url: str) -> CatalogModel:
    """The hash is the last folder of the URL: whisper/__init__.py, _download."""
    *_, sha256, file_name = urlsplit(url).path.split("/")
    if len(sha256) != SHA256_HEX_CHARACTERS or not set(sha256) <= set("0123456789abcdef"):
        raise _changed("__init__.py", f"_MODELS[{name!r}]")
    return CatalogModel(name=name, url=url, sha256=sha256, file_name=file_name, english_only=name.endswith(".en"))


def _string_table(file_name: str, variable: str) -> dict[str, str]:
    try:
        table: Any = ast.literal_eval(_assigned(file_name, variable))
    except ValueError as error:
        raise _changed(file_name, variable) from error
    if not isinstance(table, dict) or not table:
        raise _changed(file_name, variable)
    if not all(isinstance(key, str) and isinstance(value, str) for key, value in table.items()):
        raise _changed(file_name, variable)
    return table


def _assigned(file_name: str, variable: str) -> ast.expr:
    """The expression assigned to a name at the top of one of whisper's files."""
    path = _package_dir() / file_name
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError) as error:
        raise CatalogError(f"openai-whisper's {file_name} cannot be read: {error}") from error
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == variable:
                return value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name == variable:
                return value
    raise _changed(file_name, variable)


def _package_dir() -> Path:
    # For a top-level name find_spec locates the package and does not run it.
    spec = find_spec("whisper")
    if spec is None or spec.origin is None:
        raise CatalogError("openai-whisper is not installed: run `make setup`")
    return Path(spec.origin).parent


def _changed(file_name: str, variable: str) -> CatalogError:
    return CatalogError(
        f"whisper/{file_name} no longer has {variable} as this program reads it: "
        "install the openai-whisper of requirements.txt (`make setup`)"
    )


__all__ = ["CatalogError", "CatalogModel", "catalog", "language_code", "languages", "model_named"]
