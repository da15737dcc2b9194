"""Uploads under way count as written, and only so many come in at a time."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings

from transcribe.errors import UploadRefused
from transcribe.upload_room import (
    UPLOADS_MAX,
    UPLOADS_OF_ONE_MAX,
    room_give,
    room_take,
    room_written,
    upload_place,
)

GIB = 1024**3


@pytest.fixture(autouse=True)
def _eight_gib(uploads: Path, settings: Settings) -> Iterator[None]:
    """So much is free beside the reserve; nothing is written, so figures of GiB do no harm."""
    settings.DISK_RESERVE_BYTES = shutil.disk_usage(uploads).free - 8 * GIB
    yield
    room_give("first")
    room_give("second")


def test_what_is_promised_to_one_is_not_promised_to_another() -> None:
    room_take("first", 6 * GIB, "a.wav")
    with pytest.raises(UploadRefused, match="beside the uploads under way"):
        room_take("second", 6 * GIB, "b.wav")


def test_what_is_written_is_no_longer_promised() -> None:
    """The disk itself says so."""
    room_take("first", 6 * GIB, "a.wav")
    room_written("first", 5 * GIB, "a.wav")
    room_take("second", 6 * GIB, "b.wav")


def test_an_upload_that_ended_gives_its_room_back() -> None:
    room_take("first", 6 * GIB, "a.wav")
    room_give("first")
    room_take("second", 6 * GIB, "b.wav")


def test_the_reserve_is_looked_at_while_it_is_written(settings: Settings) -> None:
    room_take("first", GIB, "a.wav")
    settings.DISK_RESERVE_BYTES += 16 * GIB  # as if somebody else had filled the disk
    with pytest.raises(UploadRefused, match=r"^a\.wav could not be stored: the disk filled up meanwhile"):
        room_written("first", 1, "a.wav")


def test_one_account_has_some_places_and_leaves_some() -> None:
    with ExitStack() as taken:
        for _ in range(UPLOADS_OF_ONE_MAX):
            taken.enter_context(upload_place(1))
        with pytest.raises(UploadRefused, match="You have 4 uploads under way"), upload_place(1):
            pass
        with upload_place(2):
            pass
    with upload_place(1):
        pass


def test_all_accounts_together_have_a_share_of_the_threads() -> None:
    with ExitStack() as taken:
        for user in range(UPLOADS_MAX):
            taken.enter_context(upload_place(user))
        with pytest.raises(UploadRefused, match="8 uploads are under way"), upload_place(100):
            pass
