"""What a job's run tells of incidents, and what the sampler looks for among jobs. None of the reports raises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from gate.conf import host_id
from gate.core.blackbox import Work
from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.measures import Measure
from gate.core.incidents.occurrence import Evidence, Occurrence
from gate.core.incidents.stall import read_clocks
from gate.core.units import seconds_text
from gate.core.verdict import CheckName, CheckResult
from gate.models import Incident, VerdictRecord
from gate.services import incident_recovered, incident_report, incidents_hold
from transcribe.conf import journal_path
from transcribe.engine.errors import ProtocolError
from transcribe.engine.journal import kept_values
from transcribe.engine_logs import log_end, log_evidence, log_path
from transcribe.errors import EngineLost
from transcribe.models import Attempt, AttemptOutcome, Chunk, Job
from transcribe.states import ENDED, ChunkStatus, JobStatus

__all__ = [
    "blocked_since",
    "engine_lost_report",
    "long_blocks_report",
    "lost_again_report",
    "recovery_note",
    "running_work",
    "worker_lost_report",
]

# How an attempt ended that the machine did not let begin; what it waits for, where that is no check of the gate.
REFUSED = {
    AttemptOutcome.BLOCKED: "",
    AttemptOutcome.NO_DISK: "disk or database",
    AttemptOutcome.PRESSURE: "memory pressure",
}
RECOVERY_LOOK = timedelta(minutes=10)  # a worker that starts after a power cut has taken its job back by then


def running_work() -> Work:
    """The job that runs here and its chunk, for the black box."""
    job = Job.objects.filter(status=JobStatus.RUNNING, host=host_id()).order_by("-pk").first()
    if job is None:
        return Work()
    chunk = job.chunks.filter(status=ChunkStatus.RUNNING).first()
    where = job.activity.lower() or "starting" if chunk is None else f"chunk {chunk.index + 1} of {job.chunks.count()}"
    return Work(job_ref=_ref(job), text=f"{_name(job)}, {where}")


# ── told by a run ────────────────────────────────────────────────────────────────────────────────
def engine_lost_report(job: Job, chunk: Chunk | None, lost: EngineLost | ProtocolError) -> None:
    """One that hung, or that the kernel killed for memory, is an incident at once; another when it happens again."""
    if not isinstance(lost, EngineLost):
        return
    if lost.hung_after_seconds is not None:
        limit = lost.hung_after_seconds
        silence = Measure(name="time without a word", value=limit, limit=limit, unit="s")
        _report(IncidentKind.ENGINE_HUNG, f"model {job.model}", job, chunk, lost, silence)
    elif lost.is_oom:
        _report(IncidentKind.OOM_KILL, f"model {job.model}", job, chunk, lost)


def lost_again_report(job: Job, chunk: Chunk | None, lost: EngineLost | ProtocolError | str) -> None:
    """`lost`: the engine's end, or in words how worker or machine ended."""
    subject = f"{_ref(job)}, {'loading' if chunk is None else f'chunk {chunk.index + 1}'}"
    _report(IncidentKind.ENGINE_LOST_TWICE, subject, job, chunk, lost)


def _report(
    kind: IncidentKind,
    subject: str,
    job: Job,
    chunk: Chunk | None,
    lost: EngineLost | ProtocolError | str,
    *measures: Measure,
) -> None:
    where = "while the model was loading" if chunk is None else f"in chunk {chunk.index + 1}"
    incident_report(
        kind,
        subject,
        f"{_name(job)}, attempt {job.attempt}, {where}: {lost}",
        measures=measures,
        job_ref=_ref(job),
        evidence=_log_end(job, lost.output_tail if isinstance(lost, EngineLost) else ""),
        recovery=_recovery(kind, job, chunk),
    )


def _log_end(job: Job, tail: str) -> list[Evidence]:
    attempt = Attempt.objects.filter(job=job, number=job.attempt).first()
    return [log_evidence(tail, "") if attempt is None else _log_evidence(attempt, tail)]


def _log_evidence(attempt: Attempt, tail: str = "") -> Evidence:
    """The log is kept with it; an engine that died while it loaded has one, too, whose name is not stored."""
    path = log_path(attempt)
    if path is None:
        return log_evidence(tail, attempt.log_name)
    return log_evidence(tail or log_end(path), path.name)


def _recovery(kind: IncidentKind, job: Job, chunk: Chunk | None) -> str:
    if kind is not IncidentKind.ENGINE_LOST_TWICE:
        return f"{_ref(job).capitalize()} is tried again from its last checkpoint."
    if chunk is None:
        return f"{_ref(job).capitalize()} is tried again later, a few times; then it fails, and retry tries it again."
    return "That part was set aside and the queue went on; retry the job to give it another chance."


def worker_lost_report(job: Job, attempt: Attempt, why: str = "") -> None:
    """An attempt of an earlier boot ended with the machine: the unclean shutdown tells of it. `why`: where known."""
    if attempt.started_at < _booted_at():
        return
    said = _log_evidence(attempt)
    incident_report(
        IncidentKind.WORKER_LOST,
        "command line" if job.source == "command" else "worker",
        f"The process that ran {_name(job)}, attempt {attempt.number}, ended in the middle of it.",
        job_ref=_ref(job),
        causes=[why] if why else [],
        evidence=[said] if said.file_name else [],
        recovery=_taken_back_text(job),
    )


def _booted_at() -> datetime:
    return timezone.now() - timedelta(seconds=read_clocks().boot)


def _taken_back_text(job: Job) -> str:
    if job.status == JobStatus.CANCELLED:
        return f"{_name(job)} had been cancelled and ended."
    if job.status == JobStatus.PAUSED:
        return f"{_name(job)} was to be held and is; {_kept_text(job)}."
    if job.status in ENDED:
        return f"{_name(job)} had lost its process again and again and ended; {_kept_text(job)}."
    return f"{_name(job)} was queued again; {_kept_text(job)}."


# ── looked for by the sampler ────────────────────────────────────────────────────────────────────
def long_blocks_report() -> None:
    """Open an incident for each cause that keeps a job waiting for too long; resolve it when none waits for it."""
    found = list(_long_blocks())
    for kind, what in ((IncidentKind.GATE_BLOCKED, "this check"), (IncidentKind.JOB_WAITS, "this")):
        present = [occurrence for occurrence in found if occurrence.kind is kind]
        incidents_hold(kind, present, over=f"No job waits for {what} any more.")


def _long_blocks() -> Iterator[Occurrence]:
    now = timezone.now()
    limit = settings.LONG_BLOCK_SECONDS
    for job in Job.objects.filter(status=JobStatus.BLOCKED).order_by("pk")[:50]:
        since = blocked_since(job)
        if since is None or (waited := (now - since).total_seconds()) < limit:
            continue
        other = _refused_by(job)
        results = [] if other else _blocking(job)
        check = results[0].check if results else CheckName.LOCK
        yield Occurrence(
            kind=IncidentKind.JOB_WAITS if other else IncidentKind.GATE_BLOCKED,
            subject=other or check,
            summary=f"{_name(job)} has waited {seconds_text(waited)}, now for {other or 'the gate'}: {job.reason}",
            at=since.timestamp(),
            job_ref=_ref(job),
            measures=(Measure(name="wait", value=waited, limit=limit, unit="s"), *map(_measure, results)),
            causes=tuple(result.summary for result in results),
        )


def blocked_since(job: Job) -> datetime | None:
    """Since when every attempt of the job was refused, for whatever cause; one that read something ends such a time."""
    attempts = Attempt.objects.filter(job=job, ended_at__isnull=False)
    other = attempts.exclude(outcome__in=REFUSED, decoded_windows=0).order_by("number").last()
    refused = attempts.filter(outcome__in=REFUSED)
    if other is not None:
        refused = refused.filter(number__gte=other.number)
    return refused.order_by("number").values_list("ended_at", flat=True).first()


def _refused_by(job: Job) -> str:
    """What the job waits for by its last attempt; empty when it is the gate or the lock."""
    last = Attempt.objects.filter(job=job, ended_at__isnull=False).order_by("number").last()
    return "" if last is None else REFUSED.get(AttemptOutcome(last.outcome), "")


def _blocking(job: Job) -> list[CheckResult]:
    """The blocking results of the last verdict on this job; empty when the lock refused before the gate was asked."""
    last = Attempt.objects.filter(job=job).order_by("number").last()
    records = VerdictRecord.objects.filter(host=host_id(), job_ref=str(job.pk), admitted=False)
    if last is not None:
        records = records.filter(last_at__gte=last.started_at)
    record = records.order_by("-last_at").first()
    return [] if record is None else list(record.verdict.blocking)


def _measure(result: CheckResult) -> Measure:
    return Measure(
        name=result.check,
        value=result.reading or 0.0,
        limit=result.limit or 0.0,
        unit=result.unit,
        at_least=result.check is CheckName.MEMORY,
        source=result.source,
    )


def recovery_note(*, since: datetime) -> None:
    """Add to a fresh unclean shutdown which jobs were taken back. `since`: the start of the sampler."""
    now = timezone.now()
    if not since <= now <= since + RECOVERY_LOOK:
        return
    shutdowns = Incident.objects.filter(host=host_id(), kind=IncidentKind.UNCLEAN_SHUTDOWN.value)
    incident = shutdowns.exclude(status="resolved").order_by("-last_at").first()
    if incident is None:
        return
    taken = Attempt.objects.filter(
        outcome=AttemptOutcome.WORKER_LOST, host=host_id(), ended_at__gte=since - timedelta(minutes=1)
    )
    for attempt in taken.filter(started_at__lte=incident.last_at + timedelta(seconds=10)).select_related("job")[:20]:
        which = f"{_name(attempt.job)}, attempt {attempt.number},"
        if which not in incident.recovery:
            became = "had lost its process too often and ended" if attempt.job.is_ended else "was queued again"
            incident_recovered(incident, f"{which} {became}; {_kept_text(attempt.job)}.")


def _kept_text(job: Job) -> str:
    done = job.chunks.filter(status=ChunkStatus.DONE).count()
    finished = "no chunk of it was finished"
    if done:
        finished = "1 finished chunk is kept" if done == 1 else f"{done} finished chunks are kept"
    left = job.chunks.exclude(status=ChunkStatus.DONE).values_list("index", flat=True)
    is_begun = any(kept_values(journal_path(job.pk, index)) for index in left)
    return f"{finished}; what was read of an unfinished one is kept" if is_begun else finished


def _ref(job: Job) -> str:
    return f"job {job.pk}"


def _name(job: Job) -> str:
    return f"job {job.pk} “{job.title}”"
