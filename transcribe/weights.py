"""Whisper's published weights on disk: there, true to their hash, fetched on first use. Light: urllib only.

    weights_ensure(model, models_dir, …) -> path

A file is used only when its SHA-256 is the published one, whoever put it there. Beside `NAME` in the folder
may lie `NAME.part` (a download to go on with), `NAME.part.json` (where it came from), `NAME.verified.json`
(see file_hashes), `NAME.lock` (one download at a time) and `NAME.wrong` (a file whose hash was not the
published one).

WeightsError (a ModelUnavailable)
├── WeightsUnavailable   cannot be fetched: says where to put the file, its URL and its hash
├── WeightsCorrupt       what came has another hash; it was removed
├── WeightsDiskFull
└── WeightsStopped       the caller asked to stop; the download goes on from there next time
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from transcribe.catalog import CatalogModel
from transcribe.download import Cut, Download, OnProgress, Refused, ShouldStop
from transcribe.errors import ModelUnavailable, NoRoomForModel
from transcribe.file_hashes import (
    HashingStopped,
    file_sha256,
    file_sha256_cached,
    forget_sha256,
    remember_sha256,
)

logger = logging.getLogger(__name__)

# Waits between tries that brought nothing; a try that brought data starts the row anew.
RETRY_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)
# How often a wait asks whether to stop.
ASK_EVERY_SECONDS = 0.2
# Room that must stay free on the disk beside the weights: the database and the sound being worked on.
SPARE_DISK_BYTES = 256 << 20
DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class WeightsError(ModelUnavailable): ...


class WeightsUnavailable(WeightsError): ...


class WeightsCorrupt(WeightsError): ...


class WeightsDiskFull(WeightsError, NoRoomForModel): ...


class WeightsStopped(WeightsError): ...


def weights_ensure(
    model: CatalogModel,
    models_dir: Path,
    *,
    on_progress: OnProgress,
    should_stop: ShouldStop,
    base_url: str | None = None,
    retry_pauses_seconds: tuple[float, ...] = RETRY_PAUSES_SECONDS,
) -> Path:
    """Return the path of verified weights, fetching them if they are not there. Raises WeightsError.

    `on_progress(done_bytes, total_bytes or None)` while it downloads. `base_url` replaces the publisher's
    address by a mirror that holds SHA256/FILE below it. Processes that ask at the same time wait for the
    one that downloads.
    """
    order = _Order(
        model=model,
        target=models_dir / model.file_name,
        url=_url(model, base_url),
        on_progress=on_progress,
        should_stop=should_stop,
        retry_pauses_seconds=retry_pauses_seconds,
    )
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        if not _is_verified(order):
            with _exclusive(order):
                _fill(order)
    except HashingStopped as error:
        raise _stopped(order) from error
    except OSError as error:
        raise _disk_error(order, error) from error
    return order.target


@dataclass(frozen=True, kw_only=True)
class _Order:
    """What is wanted, where it comes from, where it goes, and whom to tell and ask meanwhile."""

    model: CatalogModel
    target: Path
    url: str
    on_progress: OnProgress
    should_stop: ShouldStop
    retry_pauses_seconds: tuple[float, ...]

    def beside(self, suffix: str) -> Path:
        return self.target.with_name(f"{self.target.name}{suffix}")

    @property
    def by_hand(self) -> str:
        """How to help oneself without a network."""
        return (
            f"Fetch {self.url} on another machine and put it at {self.target.absolute()} "
            f"(its SHA-256 must be {self.model.sha256})."
        )


def _url(model: CatalogModel, base_url: str | None) -> str:
    return model.url if base_url is None else f"{base_url.rstrip('/')}/{model.sha256}/{model.file_name}"


def _is_verified(order: _Order) -> bool:
    if not order.target.is_file():
        return False
    return file_sha256_cached(order.target, should_stop=order.should_stop) == order.model.sha256


@contextmanager
def _exclusive(order: _Order) -> Iterator[None]:
    """Hold the download lock of this file; the kernel frees it with the process."""
    with order.beside(".lock").open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                _pause(ASK_EVERY_SECONDS, order)
        yield


def _fill(order: _Order) -> None:
    """Put verified weights in place, unless another process did while we waited for the lock."""
    if _is_verified(order):
        return
    set_aside = _set_wrong_file_aside(order)
    part = order.beside(".part")
    resumed = part.exists()
    sha256 = _fetched_sha256(order, set_aside)
    if sha256 != order.model.sha256 and resumed:
        # What lay there may have been of another file: once more, from the start.
        _remove_part(order)
        sha256 = _fetched_sha256(order, set_aside)
    if sha256 != order.model.sha256:
        _remove_part(order)
        raise _corrupt(order, sha256)
    part.replace(order.target)
    order.beside(".part.json").unlink(missing_ok=True)
    _sync_directory(order.target.parent)
    remember_sha256(order.target, sha256)


def _set_wrong_file_aside(order: _Order) -> str:
    """Rename a file that is not what its name says; return a sentence about it, "" when there was none."""
    if not order.target.exists():
        return ""
    wrong = order.beside(".wrong")
    order.target.replace(wrong)
    forget_sha256(order.target)
    sentence = f"The file that was there has another SHA-256 and is now {wrong.absolute()}. "
    logger.warning("%s: %s", order.model.name, sentence)
    return sentence


def _fetched_sha256(order: _Order, set_aside: str) -> str:
    _download(order, set_aside)
    return file_sha256(order.beside(".part"), should_stop=order.should_stop)


def _download(order: _Order, set_aside: str) -> None:
    """Bring the .part file to its full length, going on after cuts. Keeps it when the network is gone."""
    download = Download(order.url, order.beside(".part"), order.beside(".part.json"))
    empty_tries = 0
    while True:
        have_bytes = download.have_bytes
        try:
            download.run(order.on_progress, order.should_stop, require_space=partial(_require_space, order))
            return
        except Refused as error:
            raise _unavailable(order, set_aside, str(error)) from error
        except Cut as error:
            if order.should_stop():
                raise _stopped(order) from error
            empty_tries = 0 if download.have_bytes > have_bytes else empty_tries + 1
            if empty_tries >= len(order.retry_pauses_seconds):
                raise _unavailable(order, set_aside, str(error)) from error
            _pause(order.retry_pauses_seconds[empty_tries], order)


def _require_space(order: _Order, missing_bytes: int) -> None:
    free_bytes = shutil.disk_usage(order.target.parent).free
    if free_bytes < missing_bytes + SPARE_DISK_BYTES:
        raise WeightsDiskFull(
            f"Weights for {order.model.name}: {missing_bytes / 1e9:.1f} GB are still to come, "
            f"{order.target.parent.absolute()} has {free_bytes / 1e9:.1f} GB free "
            f"and {SPARE_DISK_BYTES / 1e9:.1f} GB must stay so. Free some space, then try again.",
            permanent=False,
        )


def _pause(seconds: float, order: _Order) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if order.should_stop():
            raise _stopped(order)
        time.sleep(min(left, ASK_EVERY_SECONDS))


def _remove_part(order: _Order) -> None:
    order.beside(".part").unlink(missing_ok=True)
    order.beside(".part.json").unlink(missing_ok=True)


def _corrupt(order: _Order, sha256: str) -> WeightsCorrupt:
    return WeightsCorrupt(
        f"Weights for {order.model.name}: {order.url} gave a file with SHA-256 {sha256}, not the published "
        f"{order.model.sha256}. It was removed. Try again; if it happens twice, something on the way changes "
        f"it. {order.by_hand}",
        permanent=False,
    )


def _unavailable(order: _Order, set_aside: str, cause: str) -> WeightsUnavailable:
    message = f"Weights for {order.model.name} cannot be fetched: {cause}. {set_aside}{order.by_hand}"
    return WeightsUnavailable(message, permanent=False)


def _stopped(order: _Order) -> WeightsStopped:
    return WeightsStopped(f"Fetching the weights for {order.model.name} was stopped.", permanent=False)


def _disk_error(order: _Order, error: OSError) -> WeightsError:
    if error.errno in DISK_FULL_ERRORS:
        # A full disk hurts everything on it: give back what the download took.
        with contextlib.suppress(OSError):
            _remove_part(order)
        return WeightsDiskFull(
            f"Weights for {order.model.name}: the disk of {order.target.parent.absolute()} is full. "
            "Free some space, then try again.",
            permanent=False,
        )
    return WeightsUnavailable(
        f"Weights for {order.model.name} cannot be kept in {order.target.parent.absolute()}: "
        f"{error.strerror}. Let this program write there. {order.by_hand}"
    )


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


__all__ = [
    "WeightsCorrupt",
    "WeightsDiskFull",
    "WeightsError",
    "WeightsStopped",
    "WeightsUnavailable",
    "file_sha256",
    "file_sha256_cached",
    "weights_ensure",
]
