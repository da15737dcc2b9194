"""A safe file name for a download, from whatever title a person chose."""

from __future__ import annotations

import re

from transcribe.names import JOINERS, printable, stem_of

# ext4, APFS and NTFS take 255 bytes or characters; programs that unpack or sync add suffixes of their own.
MAX_NAME_BYTES = 150
FALLBACK_STEM = "transcript"
# Windows refuses these characters in names, and shells and headers stumble over some of them.
FORBIDDEN = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
# Windows devices: a file of that name cannot be made, whatever its extension.
DEVICE_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def download_name(title: str, extension: str) -> str:
    """Return `stem.extension` of at most 150 bytes of UTF-8 that names no folder, device or hidden file."""
    stem = _safe_stem(stem_of(title.strip()))
    room_bytes = MAX_NAME_BYTES - len(extension.encode()) - 1
    return f"{_cut_to_bytes(stem, room_bytes) or FALLBACK_STEM}.{extension}"


def _safe_stem(title: str) -> str:
    # Dots and spaces at either end: hidden files, "..", and what Windows strips without asking.
    stem = FORBIDDEN.sub("_", printable(title)).strip(" ._")
    return f"_{stem}" if DEVICE_NAMES.match(stem) else stem


def _cut_to_bytes(text: str, limit_bytes: int) -> str:
    cut = text.encode()[:limit_bytes].decode(errors="ignore")
    return cut.rstrip(f" ._{JOINERS}")


__all__ = ["MAX_NAME_BYTES", "download_name"]
