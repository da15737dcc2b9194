"""The only reader of the environment: strict, typed, once.

A wrong value stops the start with the variable's name, what it holds and what would be right.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured
from environ import Env

PREFIX = "J5A_"
NAME_LIMIT = 255  # characters, as the columns have
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def env_text(name: str, default: str | None) -> str | None:
    """The value without blanks around it; empty or missing gives the default."""
    return os.environ.get(PREFIX + name, "").strip() or default


def env_name(name: str) -> str | None:
    """A name that stands in rows and pages; None when it is not set."""
    text = env_text(name, None)
    if text is None or (text.isprintable() and len(text) <= NAME_LIMIT):
        return text
    raise ImproperlyConfigured(
        f"{PREFIX}{name}={text[:40]!r} is no name: give at most {NAME_LIMIT} characters of readable text, "
        "or leave it away for the machine's own name."
    )


def env_list(name: str, default: list[str]) -> list[str]:
    """A comma-separated list, blanks removed."""
    return [part.strip() for part in Env().list(PREFIX + name, default=default) if part.strip()]


def env_bool(name: str, default: bool) -> bool:
    text = env_text(name, None)
    if text is None:
        return default
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ImproperlyConfigured(f"{PREFIX}{name}={text!r} is neither yes nor no: use 1 or 0.")


def env_int(name: str, default: int, *, low: int, high: int) -> int:
    return int(_number(name, default, low=low, high=high, kind=int))


def env_float(name: str, default: float, *, low: float, high: float) -> float:
    return float(_number(name, default, low=low, high=high, kind=float))


def env_path(name: str, default: Path) -> Path:
    """An absolute path; `~` is the home directory, relative paths start at the current directory."""
    text = env_text(name, None)
    if text is None:
        return default
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # `~somebody` who has no home
        raise ImproperlyConfigured(
            f"{PREFIX}{name}={text!r} begins with a home directory that is not known: give the whole path."
        ) from None


def env_absolute_path(name: str, default: Path) -> Path:
    """For a place that all must share: a relative path would name another one in each directory."""
    text = env_text(name, None)
    if text is None:
        return default
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # `~somebody` who has no home
        path = Path(text)
    if path.is_absolute():
        return path
    raise ImproperlyConfigured(
        f"{PREFIX}{name}={text!r} is a relative path, so each directory that a program is started in would have "
        f"a folder of its own: give the whole path from the root on, such as {str(path.absolute())!r}."
    )


def env_url(name: str) -> str | None:
    text = env_text(name, None)
    if text is not None and not (text.startswith(("http://", "https://")) and _has_host(text)):
        raise ImproperlyConfigured(
            f"{PREFIX}{name}={text!r} is not an address: it must begin with https:// or http://."
        )
    return text


def _has_host(address: str) -> bool:
    try:
        return bool(urlsplit(address).netloc)
    except ValueError:  # a bracket that is not closed
        return False


def env_time_zone(name: str, default: str) -> str:
    """A name of the time zone database, such as Europe/Berlin."""
    text = env_text(name, None) or default
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ImproperlyConfigured(
            f"{PREFIX}{name}={text!r} is not a time zone: give one such as Europe/Berlin."
        ) from None
    return text


def _number(name: str, default: float, *, low: float, high: float, kind: type) -> float:
    text = env_text(name, None)
    if text is None:
        return default
    try:
        value = kind(text)
    except ValueError:
        raise ImproperlyConfigured(f"{PREFIX}{name}={text!r} is not a number ({kind.__name__}).") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{PREFIX}{name}={text} is outside {low} to {high}.")
    return float(value)
