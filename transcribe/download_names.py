"""A safe file name for a download, from whatever title a person chose."""

from __future__ import annotations

import re
import unicodedata

# ext4, APFS and NTFS take 255 bytes or characters; programs that unpack or sync add suffixes of their own.
MAX_NAME_BYTES = 150
FALLBACK_STEM = "transcript"
# Windows refuses these characters in names, and shells and headers stumble over some of them.
FORBIDDEN = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')
# Windows devices: a file of that name cannot be made, whatever its extension.
DEVICE_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
# The ending of the recording goes, as in whisper's own output names; "v1.5" in a title stays.
MEDIA_ENDING = re.compile(
    r"\.(wav|mp3|m4a|mp4|ogg|oga|opus|flac|aac|wma|mkv|webm|mov|avi|aiff?|amr|3gp|mpe?g|ts|caf)$",
    re.IGNORECASE,
)
# Joins emoji into one; every other invisible format character (direction overrides above all) is dropped.
ZERO_WIDTH_JOINER = "\u200d"


def download_name(title: str, extension: str) -> str:
    """Return `stem.extension` of at most 150 bytes of UTF-8 that names no folder, device or hidden file."""
    stem = _safe_stem(MEDIA_ENDING.sub("", title.strip()))
    room_bytes = MAX_NAME_BYTES - len(extension.encode()) - 1
    return f"{_cut_to_bytes(stem, room_bytes) or FALLBACK_STEM}.{extension}"


def _safe_stem(title: str) -> str:
    visible = "".join(character for character in title if _is_kept(character))
    # Dots and spaces at either end: hidden files, "..", and what Windows strips without asking.
    stem = FORBIDDEN.sub("_", " ".join(visible.split())).strip(" ._")
    return f"_{stem}" if DEVICE_NAMES.match(stem) else stem


def _is_kept(character: str) -> bool:
    is_control_or_format = unicodedata.category(character).startswith("C")
    return not is_control_or_format or character == ZERO_WIDTH_JOINER or character.isspace()


def _cut_to_bytes(text: str, limit_bytes: int) -> str:
    cut = text.encode()[:limit_bytes].decode(errors="ignore")
    return cut.rstrip(f" ._{ZERO_WIDTH_JOINER}")


__all__ = ["MAX_NAME_BYTES", "download_name"]
