"""The only reader of the environment: strict, typed, once.

A wrong value stops the start with the variable's name, what it holds and what would be right.
"""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured
from environ import Env

PREFIX = "J5A_"
NAME_LIMIT = 255  # characters, as the columns have
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_SHOWN = 40  # characters of a wrong value
_HOST_LIMIT = 253  # characters of a name, RFC 1035
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_SUB_PATH = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_NUMBER = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")
_FOR_OTHERS = {"J5A_PYTHON", "J5A_CHROMIUM", "J5A_REQUIRE_BROWSER"}  # ops/resource_safety_gate.sh and the tests
_asked: set[str] = set()


def env_unread() -> dict[str, str]:
    """Names with our prefix that no setting has, each with the setting that looks most like it; "" when none does.

    Ask when all settings are read.
    """
    unread = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in _asked | _FOR_OTHERS)
    return {name: next(iter(get_close_matches(name, sorted(_asked), n=1, cutoff=0.75)), "") for name in unread}


def env_text(name: str, default: str | None) -> str | None:
    """The value without blanks around it; empty or missing gives the default."""
    text = _value(name)
    if not text.isprintable():
        raise ImproperlyConfigured(
            f"{PREFIX}{name} holds characters that cannot be shown ({_shown(ascii(text))}): "
            "give readable text in one line, or leave it away."
        )
    return text or default


def env_secret(name: str) -> str | None:
    """As `env_text`, and nothing of it stands in a message."""
    text = _value(name)
    if text.isprintable():
        return text or None
    raise ImproperlyConfigured(
        f"{PREFIX}{name} holds characters that cannot be shown: give readable text in one line, or leave it away."
    )


def env_name(name: str, otherwise: str) -> str | None:
    """A name that stands in rows and pages; None when it is not set. `otherwise`: what leaving it away gives."""
    text = env_text(name, None)
    return text if text is None else _name(name, text, f"or leave it away for {otherwise}")


def env_names(name: str, default: list[str]) -> list[str]:
    """A comma-separated list of such names."""
    return [_name(name, part, "separated by commas") for part in env_list(name, default)]


def env_list(name: str, default: list[str]) -> list[str]:
    """A comma-separated list, blanks removed."""
    text = env_text(name, None)
    if text is None:
        return default
    if parts := [part.strip() for part in Env.parse_value(text, list) if part.strip()]:
        return parts
    raise ImproperlyConfigured(
        f"{PREFIX}{name}={_shown(text)!r} holds nothing but commas: name at least one, or leave it away."
    )


def env_host(name: str, default: str) -> str:
    """A numeric address or a host's name, without a port."""
    text = env_text(name, None) or default
    if _is_address(text) or _is_host(text):
        return text
    raise ImproperlyConfigured(
        f"{PREFIX}{name}={_shown(text)!r} is no address: give one of this machine, such as 127.0.0.1 or ::1, "
        f"or its name, without a port (that is {PREFIX}PORT)."
    )


def env_hosts(name: str, default: list[str]) -> list[str]:
    """Hosts as Django's ALLOWED_HOSTS takes them: `.example.org` means all below it, `*` every one."""
    if env_text(name, None) is None:
        return default
    found = env_list(name, default)
    for part in found:
        is_bracketed = part.startswith("[") and part.endswith("]") and _is_address(part[1:-1])
        if not (part == "*" or is_bracketed or _is_host(part.removeprefix("."))):
            raise ImproperlyConfigured(
                f"{PREFIX}{name}: {_shown(part)!r} is no host's name: give names as browsers ask for them, such as "
                "panel.example.org, 192.0.2.7 or [::1], without http:// and without a port, separated by commas."
            )
    return found


def env_origins(name: str) -> list[str]:
    """Origins as browsers send them: a scheme, a host, a port where it is not the usual one, and nothing behind."""
    found = env_list(name, [])
    for part in found:
        if not (part.startswith(("http://", "https://")) and _has_host(part) and part.count("/") == 2):
            raise ImproperlyConfigured(
                f"{PREFIX}{name}: {_shown(part)!r} is no origin: give https:// or http:// and the host, "
                "such as https://panel.example.org, and nothing behind it; several are separated by commas."
            )
    return found


def env_sub_path(name: str) -> str:
    """Where the panel lies below its host, such as /j5a; empty: at the root."""
    text = (env_text(name, None) or "").rstrip("/")
    if text and _SUB_PATH.fullmatch(text) is None:
        raise ImproperlyConfigured(
            f"{PREFIX}{name}={_shown(text)!r} is not a path below a host: give one such as /j5a, which begins with a "
            "slash and holds only letters, digits, -, _ and dots."
        )
    return text


def env_bool(name: str, default: bool) -> bool:
    text = env_text(name, None)
    if text is None:
        return default
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ImproperlyConfigured(f"{PREFIX}{name}={_shown(text)!r} is neither yes nor no: use 1 or 0.")


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
            f"{PREFIX}{name}={_shown(text)!r} is not an address: it must begin with https:// or http://."
        )
    return text


def _value(name: str) -> str:
    _asked.add(PREFIX + name)
    return os.environ.get(PREFIX + name, "").strip()


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
            f"{PREFIX}{name}={_shown(text)!r} is not a time zone: give one such as Europe/Berlin."
        ) from None
    return text


def _number(name: str, default: float, *, low: float, high: float, kind: type) -> float:
    text = env_text(name, None)
    if text is None:
        return default
    what = "whole number" if kind is int else "number"
    try:
        if not _NUMBER.fullmatch(text):  # Python takes 1_000, nan and the digits of other scripts as well
            raise ValueError
        value = kind(text)
    except ValueError:
        raise ImproperlyConfigured(
            f"{PREFIX}{name}={_shown(text)!r} is no {what}: give one from {low} to {high}."
        ) from None
    if not low <= value <= high:
        raise ImproperlyConfigured(
            f"{PREFIX}{name}={_shown(text)} is outside {low} to {high}: give a {what} from {low} to {high}."
        )
    return float(value)


def _name(name: str, text: str, hint: str) -> str:
    if len(text) <= NAME_LIMIT:
        return text
    raise ImproperlyConfigured(
        f"{PREFIX}{name}={_shown(text)!r} is too long for a name: give at most {NAME_LIMIT} characters, {hint}."
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    return len(text) <= _HOST_LIMIT and _HOST.fullmatch(text) is not None


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
