"""Who may upload now, and into how much room: what is under way counts as taken before it is written."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from transcribe.errors import UploadRefused

UPLOADS_MAX = 8  # a third of the web process's threads (j5a_admin/management/commands/up.py)
UPLOADS_OF_ONE_MAX = 4

_guard = threading.Lock()
_under_way: Counter[int | None] = Counter()
_promised: dict[object, int] = {}


@contextmanager
def upload_place(user_id: int | None) -> Iterator[None]:
    """One of the few uploads that may come in at a time.

    Raises:
        UploadRefused: they are all taken.
    """
    with _guard:
        if _under_way[user_id] >= UPLOADS_OF_ONE_MAX:
            raise UploadRefused(
                f"You have {UPLOADS_OF_ONE_MAX} uploads under way, and no more may come at a time. "
                "Upload this file again when one of them has ended.",
                cause="busy",
            )
        if _under_way.total() >= UPLOADS_MAX:
            raise UploadRefused(
                f"{UPLOADS_MAX} uploads are under way, and no more may come at a time. "
                "Upload this file again when one of them has ended.",
                cause="busy",
            )
        _under_way[user_id] += 1
    try:
        yield
    finally:
        with _guard:
            _under_way[user_id] -= 1


def room_take(upload: object, incoming_bytes: int, name: str) -> None:
    """Promise the room to this upload, until `room_give` or its end.

    Raises:
        UploadRefused: with the size, the free space and what to do.
    """
    if incoming_bytes > settings.UPLOAD_MAX_BYTES:
        raise UploadRefused(
            f"{name} is too large: {filesizeformat(incoming_bytes)}, with all that was sent together, and the limit is "
            f"{filesizeformat(settings.UPLOAD_MAX_BYTES)}. Split the recording, upload one file at a time, or raise "
            "J5A_UPLOAD_MAX_MIB.",
            cause="too large",
        )
    with _guard:
        free_bytes = max(0, _free_bytes() - sum(_promised.values()))
        if incoming_bytes + settings.DISK_RESERVE_BYTES <= free_bytes:
            _promised[upload] = incoming_bytes
            return
        others = " beside the uploads under way" if any(_promised.values()) else ""
    raise UploadRefused(
        f"{name} needs {filesizeformat(incoming_bytes)}, but the disk has only "
        f"{filesizeformat(free_bytes)} free{others} "
        f"and {filesizeformat(settings.DISK_RESERVE_BYTES)} of it are kept in reserve. Free some space "
        f"(old jobs can be deleted) and upload it again.",
        cause="disk full",
    )


def room_written(upload: object, count: int, name: str) -> None:
    """So much of it is on the disk now. Others write, too: the reserve is looked at again.

    Raises:
        UploadRefused: the reserve is touched.
    """
    with _guard:
        _promised[upload] = max(0, _promised.get(upload, 0) - count)
    if (free_bytes := _free_bytes()) < settings.DISK_RESERVE_BYTES:
        raise UploadRefused(
            f"{name} could not be stored: the disk filled up meanwhile. It has {filesizeformat(free_bytes)} free, and "
            f"{filesizeformat(settings.DISK_RESERVE_BYTES)} are kept in reserve. Nothing was kept; free some space "
            "(old jobs can be deleted) and upload it again.",
            cause="disk full",
        )


def room_give(upload: object) -> None:
    with _guard:
        _promised.pop(upload, None)


def _free_bytes() -> int:
    return shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free
