"""Names of recordings, as people see them: one line, white space as one space, an ending only where it is one."""

from __future__ import annotations

import re
from pathlib import Path

NAME_LIMIT_CHARS = 255
SUFFIX_LIMIT_CHARS = 20  # what follows the last dot of a sentence is no file type
# Between letters they decide how Persian and Indian words are written, and they make one emoji of several.
JOINERS = "\u200c\u200d"
# What recordings end in; of "meeting 2024.01.15" and "release v1.5" the last part is none.
MEDIA_ENDINGS = (
    "3g2|3ga|3gp|aac|ac3|aif|aifc|aiff|amr|ape|asf|au|avi|awb|caf|dsf|dss|dts|dv|eac3|f4v|flac|flv|gsm|m2ts|"
    "m4a|m4b|m4r|m4v|mj2|mka|mkv|mov|mp1|mp2|mp3|mp4|mpa|mpc|mpeg|mpg|mts|mxf|nist|nut|oga|ogg|ogv|oma|opus|"
    "qcp|qt|ra|rf64|rm|rmvb|snd|sph|spx|tak|ts|tta|vob|voc|w64|wav|wave|weba|webm|wma|wmv|wtv|wv"
)
MEDIA_ENDING = re.compile(rf"\.({MEDIA_ENDINGS})$", re.IGNORECASE)


def printable(text: str) -> str:
    """On one line, without control characters and those that turn the direction of writing."""
    kept = "".join(char for char in text if char.isprintable() or char.isspace() or char in JOINERS)
    return " ".join(kept.split()).strip(f" {JOINERS}")


def clean_name(name: str) -> str:
    """The name a person gave, for showing: last path part, one line, at most 255 characters."""
    last = re.split(r"[/\\]", name)[-1]
    shown = printable(last)
    if len(shown) > NAME_LIMIT_CHARS:
        suffix = Path(shown).suffix
        kept_suffix = suffix if len(suffix) <= SUFFIX_LIMIT_CHARS else ""
        shown = shown[: NAME_LIMIT_CHARS - len(kept_suffix)] + kept_suffix
    return shown or "unnamed"


def stem_of(name: str) -> str:
    """The name without the ending of a recording, if it has one."""
    return MEDIA_ENDING.sub("", name) or name


__all__ = ["JOINERS", "MEDIA_ENDINGS", "clean_name", "printable", "stem_of"]
