"""What is kept for how long: logs, leftovers, records. Jobs and recordings stay unless a setting says otherwise.

Nothing that somebody protected is removed (`gate.services.protection`), nothing that a job uses which has not ended,
and nothing through a link: folders are opened as themselves, and names are looked up inside them.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gate.services import protected_paths, protected_spans, records_prune
from transcribe.conf import JOURNAL_SUFFIX
from transcribe.engine_logs import LOG_NAME
from transcribe.login_records import login_failures_prune, sessions_prune
from transcribe.models import Job
from transcribe.services.jobs import job_delete
from transcribe.states import ENDED
from transcribe.uploads import uploads_sweep

WORK_NAME = re.compile(r"job-(?P<job>[0-9]{1,18})")
TRASH_NAME = re.compile(r"gone-[0-9a-f]{32}")
UPLOAD_NAME = re.compile(r"[0-9a-f]{32}(_[A-Za-z0-9]{7})?(\.[a-z0-9]{1,5})?")
# A recording is stored before its job is: within a day every request for it has ended.
ORPHAN_SECONDS = 86_400.0


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """A log goes when it is older than `log_days`, or when newer ones fill `log_bytes`. `job_days` None: never."""

    log_days: float
    log_bytes: int
    record_days: float
    job_days: float | None


@dataclass(frozen=True, kw_only=True)
class LogFile:
    name: str
    size_bytes: int
    modified_at: float  # unix seconds


@dataclass(frozen=True, kw_only=True)
class Removed:
    """One kind of thing: how many, and how much room that makes (None: rows of the database)."""

    what: str
    count: int
    size_bytes: int | None = None


def retention_policy() -> RetentionPolicy:
    return RetentionPolicy(
        log_days=settings.KEEP_LOGS_DAYS,
        log_bytes=settings.KEEP_LOGS_BYTES,
        record_days=settings.KEEP_RECORDS_DAYS,
        job_days=settings.KEEP_JOBS_DAYS or None,
    )


def logs_outdated(logs: Sequence[LogFile], now: float, policy: RetentionPolicy) -> list[LogFile]:
    """The ones to remove, oldest last. The newest stays whatever its size."""
    outdated, newer_bytes = [], 0
    for log in sorted(logs, key=lambda log: (-log.modified_at, log.name)):
        too_old = now - log.modified_at > policy.log_days * 86_400
        if too_old or (newer_bytes and newer_bytes + log.size_bytes > policy.log_bytes):
            outdated.append(log)
        newer_bytes += log.size_bytes
    return outdated


def tidy(policy: RetentionPolicy, *, dry_run: bool = False) -> list[Removed]:
    """Remove what is not kept any longer; with `dry_run` only say what would go. Always every kind, in this order."""
    now = timezone.now()
    keeper = _Keeper(protected_paths(), dry_run)
    records = records_prune(now - timedelta(days=policy.record_days), dry_run=dry_run)
    if not dry_run:
        uploads_sweep()
    return [
        _jobs(now, policy, keeper),
        _logs(policy, keeper),
        _work(keeper),
        _orphans(keeper),
        Removed(what="verdicts", count=records.verdicts),
        Removed(what="lock events", count=records.lock_events),
        Removed(what="expired sessions", count=sessions_prune(now, dry_run=dry_run)),
        Removed(what="failed logins", count=login_failures_prune(now, policy.record_days, dry_run=dry_run)),
    ]


class _Keeper:
    """What may go, and whether it really goes."""

    def __init__(self, protected: frozenset[Path], dry_run: bool) -> None:
        self._protected = {Path(os.path.abspath(path)) for path in protected}  # noqa: PTH100 - links stay links
        self.dry_run = dry_run

    def is_protected(self, path: Path) -> bool:
        return bool(self._protected & {path, *path.parents}) or any(path in kept.parents for kept in self._protected)


@contextmanager
def _folder(path: Path, within: int | None = None) -> Iterator[int | None]:
    """A descriptor of the folder itself; None where it is missing, or a link in its place."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _entries(folder: int, pattern: re.Pattern[str]) -> Iterator[tuple[os.DirEntry[str], re.Match[str]]]:
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if match := pattern.fullmatch(entry.name):
                yield entry, match


def _unfinished() -> set[int]:
    return set(Job.objects.exclude(status__in=ENDED).values_list("pk", flat=True))


def _logs(policy: RetentionPolicy, keeper: _Keeper) -> Removed:
    where, found = Path(settings.LOG_DIR), list[LogFile]()
    with _folder(where) as folder:
        if folder is None:
            return Removed(what="engine logs", count=0, size_bytes=0)
        unfinished = _unfinished()
        for entry, match in _entries(folder, LOG_NAME):
            if entry.is_file(follow_symlinks=False) and int(match["job"]) not in unfinished:
                facts = entry.stat(follow_symlinks=False)
                found.append(LogFile(name=entry.name, size_bytes=facts.st_size, modified_at=facts.st_mtime))
        outdated = [
            log for log in logs_outdated(found, time.time(), policy) if not keeper.is_protected(where / log.name)
        ]
        gone = [log for log in outdated if keeper.dry_run or _unlink(log.name, folder)]
    return Removed(what="engine logs", count=len(gone), size_bytes=sum(log.size_bytes for log in gone))


def _work(keeper: _Keeper) -> Removed:
    """Decoded audio of jobs that have ended or are deleted; and their journals, where nobody can retry the job."""
    where, count, size_bytes = Path(settings.WORK_DIR), 0, 0
    with _folder(where) as folder:
        for entry, match in () if folder is None else _entries(folder, WORK_NAME):
            if not entry.is_dir(follow_symlinks=False) or keeper.is_protected(where / entry.name):
                continue
            gone_bytes = _work_of(int(match["job"]), entry.name, folder, keeper)
            if gone_bytes is not None:
                size_bytes, count = size_bytes + gone_bytes, count + 1
        if folder is not None and not keeper.dry_run:
            for entry, _ in _entries(folder, TRASH_NAME):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.name, ignore_errors=True, dir_fd=folder)
                else:
                    _unlink(entry.name, folder)
    return Removed(what="work folders of ended jobs", count=count, size_bytes=size_bytes)


def _work_of(job_id: int, name: str, folder: int | None, keeper: _Keeper) -> int | None:
    """Under the database's write lock, where nobody can claim the job, files are only renamed; how many bytes."""
    tree_bytes = _tree_bytes(name, folder)
    with transaction.atomic():
        job = Job.objects.filter(pk=job_id).first()
        if job is not None and not job.is_ended:
            return None
        if job is not None and job.is_retryable and (journals := _journals(name, folder)):
            return _beside(journals, name, folder, keeper)
        return tree_bytes if keeper.dry_run or _to_trash(name, folder) else None


def _to_trash(name: str, folder: int | None, inside: int | None = None) -> bool:
    """Rename a folder, or a file of the folder `inside`, to a name under which it is removed after the commit."""
    try:
        os.rename(name, f"gone-{uuid4().hex}", src_dir_fd=folder if inside is None else inside, dst_dir_fd=folder)
    except OSError:
        return False  # not ours to remove: the next time tells
    return True


def _journals(name: str, folder: int | None) -> set[str]:
    return {file for file, _ in _files(name, folder) if file.endswith(JOURNAL_SUFFIX)}


def _beside(journals: set[str], name: str, folder: int | None, keeper: _Keeper) -> int | None:
    """Remove the other files of the job's folder; how many bytes, None where there are none."""
    others = [(file, size) for file, size in _files(name, folder) if file not in journals]
    with _folder(Path(name), folder) as inside:
        gone = [
            size for file, size in others if keeper.dry_run or (inside is not None and _to_trash(file, folder, inside))
        ]
    return sum(gone) if gone else None


def _files(name: str, folder: int | None) -> list[tuple[str, int]]:
    """Each with its size."""
    with suppress(OSError), _folder(Path(name), folder) as inside:
        if inside is not None:
            with os.scandir(inside) as entries:
                return [(entry.name, entry.stat(follow_symlinks=False).st_size) for entry in entries]
    return []


def _orphans(keeper: _Keeper) -> Removed:
    """Recordings that no job names."""
    where, count, size_bytes = Path(settings.MEDIA_ROOT), 0, 0
    with _folder(where) as folder:
        named = set(Job.objects.values_list("audio", flat=True))
        for entry, _ in () if folder is None else _entries(folder, UPLOAD_NAME):
            facts = entry.stat(follow_symlinks=False)
            is_young = time.time() - max(facts.st_mtime, facts.st_ctime) < ORPHAN_SECONDS
            if entry.name in named or is_young or not entry.is_file(follow_symlinks=False):
                continue
            if keeper.is_protected(where / entry.name) or Job.objects.filter(audio=entry.name).exists():
                continue
            if keeper.dry_run or _unlink(entry.name, folder):
                count, size_bytes = count + 1, size_bytes + facts.st_size
    return Removed(what="recordings without a job", count=count, size_bytes=size_bytes)


def _jobs(now: datetime, policy: RetentionPolicy, keeper: _Keeper) -> Removed:
    count = size_bytes = 0
    spans = protected_spans()
    if policy.job_days is not None:
        before = now - timedelta(days=policy.job_days)
        for job in Job.objects.filter(status__in=ENDED, finished_at__lt=before):
            begun, ended = job.created_at, job.finished_at
            assert ended is not None  # noqa: S101 - asked for above
            in_span = any(span.begins_at <= ended and begun <= span.ends_at for span in spans)
            if in_span or (job.audio and keeper.is_protected(Path(job.audio.path))):
                continue
            if keeper.dry_run or job_delete(job, None):
                count, size_bytes = count + 1, size_bytes + job.audio_bytes
    return Removed(what="jobs with their recordings", count=count, size_bytes=size_bytes)


def _unlink(name: str, folder: int | None) -> bool:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return False  # gone meanwhile, or not ours to remove: the next time tells
    return True


def _tree_bytes(name: str, folder: int | None) -> int:
    total = 0
    with suppress(OSError):
        for _, _, files, here in os.fwalk(name, dir_fd=folder, follow_symlinks=False):
            total += sum(os.stat(file, dir_fd=here, follow_symlinks=False).st_size for file in files)
    return total


def removed_lines(removed: Sequence[Removed], size_text: Callable[[float], str]) -> list[str]:
    """One line for each kind of which something went."""
    sizes = ["" if one.size_bytes is None else f", {size_text(one.size_bytes)}" for one in removed]
    return [f"{one.count} {one.what}{size}" for one, size in zip(removed, sizes, strict=True) if one.count]
