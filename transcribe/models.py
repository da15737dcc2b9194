"""Tables of the transcription app. The Job table is the truth; a django-q2 task is only a wake-up."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from transcribe.states import ENDED, RETRYABLE, ChunkStatus, JobStatus, Priority, can_move


class JobSource(models.TextChoices):
    PANEL = "panel", "Panel"
    COMMAND = "command", "Command line"
    SAMPLE = "sample", "Bundled sample"


class Job(models.Model):
    """One recording to transcribe.

    `attempt` is the fence: whoever claims the job raises it, and only the run that holds the current number may
    commit. `host` and `owner` say where it runs: "worker", or "command <pid> <start time>" for the command line.
    """

    title = models.CharField(max_length=200)
    original_name = models.CharField(max_length=255)
    audio = models.FileField(max_length=255, blank=True)
    audio_sha256 = models.CharField(max_length=64, db_index=True)
    audio_bytes = models.BigIntegerField()
    duration_seconds = models.FloatField()
    clock_start_seconds = models.FloatField(default=0, help_text="What the file's own clock says at the beginning")
    audio_format = models.CharField(max_length=80, blank=True)
    note = models.TextField(blank=True)

    model = models.CharField(max_length=100)
    language = models.CharField(max_length=10, blank=True, help_text="Empty: detect")
    options = models.JSONField(default=dict, blank=True)
    detected_language = models.CharField(max_length=10, blank=True)

    status = models.CharField(max_length=12, choices=JobStatus.choices, default=JobStatus.QUEUED)
    reason = models.TextField(blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True)
    cancel_requested = models.BooleanField(default=False)
    hold_requested = models.BooleanField(default=False)
    ignores_hours = models.BooleanField(default=False, help_text="A person asked to run it now, outside the hours")
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    position = models.IntegerField(
        default=0, help_text="Within its priority, lowest first; 0: not placed by a person, after those that are"
    )
    attempt = models.PositiveIntegerField(default=0)
    host = models.CharField(max_length=255, blank=True)
    owner = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=10, choices=JobSource.choices, default=JobSource.PANEL)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    activity = models.CharField(max_length=200, blank=True, help_text="What the run does right now")
    position_seconds = models.FloatField(default=0, help_text="How far into the audio the run is")
    live_text = models.TextField(blank=True, help_text="Text of the chunk being read, not yet a checkpoint")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "next_try_at"]),
            models.Index(fields=["finished_at"], name="job_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.status})"

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_retryable(self) -> bool:
        return self.status in RETRYABLE

    def move(self, new: JobStatus, reason: str = "", **changes: Any) -> bool:
        """Change the status if it is still what we read, and write the event in the same transaction.

        Returns False when somebody else was first (another status or another attempt); nothing is changed then.
        `changes` are further columns to set; the instance follows the row.
        """
        old = JobStatus(self.status)
        if not can_move(old, new):
            return False
        changes = {"status": new, "reason": reason, "next_try_at": None, **changes}
        with transaction.atomic():
            here = Job.objects.filter(pk=self.pk, status=old, attempt=self.attempt)
            if here.update(**changes) != 1:
                return False
            JobEvent.objects.create(
                job=self, old=old, new=new, reason=reason, attempt=changes.get("attempt", self.attempt)
            )
        for name, value in changes.items():
            setattr(self, name, value)
        return True


class JobEvent(models.Model):
    """One change of a job's status, written in the transaction that made it."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    old = models.CharField(max_length=12, blank=True)
    new = models.CharField(max_length=12)
    reason = models.TextField(blank=True)
    attempt = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.old or 'new'} → {self.new}"


class Chunk(models.Model):
    """An audio slice [start_sample, end_sample) at 16 kHz; once done it is a checkpoint."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="chunks")
    index = models.PositiveIntegerField()
    start_sample = models.BigIntegerField()
    end_sample = models.BigIntegerField()
    status = models.CharField(max_length=12, choices=ChunkStatus.choices, default=ChunkStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0, help_text="How often it was begun")
    engine_losses = models.PositiveIntegerField(default=0, help_text="How often its engine ended unexpectedly")
    lost_at_window = models.PositiveIntegerField(
        null=True, blank=True, help_text="Windows in its journal when its process last ended unexpectedly"
    )
    error = models.TextField(blank=True)
    language = models.CharField(max_length=10, blank=True)
    provenance = models.CharField(max_length=64, blank=True, help_text="Hash of audio, span, model and options")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    paused_seconds = models.FloatField(default=0, help_text="Since it was started: paused for heat")
    taken_over_seconds = models.FloatField(default=0, help_text="Of its audio: read by an earlier try")

    class Meta:
        ordering = ["index"]
        indexes = [models.Index(fields=["finished_at"], name="chunk_finished")]
        constraints = [models.UniqueConstraint(fields=["job", "index"], name="one_chunk_per_index")]

    def __str__(self) -> str:
        return f"chunk {self.index + 1} of job {self.job_id}"


class Segment(models.Model):
    """A stretch of speech as Whisper returned it; seconds from the beginning of the recording."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="segments")
    chunk = models.ForeignKey(Chunk, on_delete=models.CASCADE, related_name="segments")
    index = models.PositiveIntegerField(help_text="Within its chunk")
    start_seconds = models.FloatField()
    end_seconds = models.FloatField()
    text = models.TextField()
    words = models.JSONField(null=True, blank=True)
    avg_logprob = models.FloatField(null=True)
    compression_ratio = models.FloatField(null=True)
    no_speech_prob = models.FloatField(null=True)
    temperature = models.FloatField(null=True)

    class Meta:
        ordering = ["chunk__index", "index"]
        constraints = [models.UniqueConstraint(fields=["chunk", "index"], name="one_segment_per_index")]

    def __str__(self) -> str:
        return f"{self.start_seconds:.2f}–{self.end_seconds:.2f} {self.text}"


class AttemptOutcome(models.TextChoices):
    SUCCEEDED = "succeeded", "Succeeded"
    INCOMPLETE = "incomplete", "Incomplete"
    FAILED = "failed", "Failed"
    BLOCKED = "blocked", "Blocked by the gate"
    CANCELLED = "cancelled", "Cancelled"
    STOPPED = "stopped", "Service stopped"
    MACHINE_ENDED = "machine_ended", "Ended for the machine's sake"
    PRESSURE = "pressure", "Memory pressure was too high"
    NO_DISK = "no_disk", "Disk or database could not be used"
    HOURS_ENDED = "hours_ended", "The hours ended"
    HELD = "held", "Held by a person"
    QUEUE_PAUSED = "queue_paused", "Queue paused by a person"
    ENGINE_LOST = "engine_lost", "Engine ended unexpectedly"
    NOT_PREPARED = "not_prepared", "Audio could not be decoded"
    WORKER_LOST = "worker_lost", "Worker ended unexpectedly"


class Attempt(models.Model):
    """One try at a job: which process, how it ended, and the tail of what it wrote."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    host = models.CharField(max_length=255)
    engine_pid = models.PositiveIntegerField(null=True, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, choices=AttemptOutcome.choices, blank=True)
    reason = models.TextField(blank=True)
    exit_code = models.IntegerField(null=True, blank=True, help_text="Negative: ended by that signal")
    peak_bytes = models.BigIntegerField(null=True, blank=True)
    decoded_windows = models.PositiveIntegerField(default=0)
    replayed_windows = models.PositiveIntegerField(default=0, help_text="Taken over from the journal of an earlier try")
    held_seconds = models.JSONField(
        default=dict, blank=True, help_text="For how long its engine was made to stand still, by kind"
    )
    slowest_window_seconds = models.FloatField(null=True, blank=True)
    log_name = models.CharField(max_length=255, blank=True)
    output_tail = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["ended_at"], name="attempt_ended")]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_attempt_per_number")]

    def __str__(self) -> str:
        return f"attempt {self.number} of job {self.job_id}"

    @property
    def windows_text(self) -> str:
        """ "12 windows taken over, 3 decoded"; what is being decoded is told when the try has ended."""
        decoded = self.decoded_windows if self.ended_at else 0
        if not self.replayed_windows:
            return f"{_windows(decoded)} decoded" if decoded else ""
        return f"{_windows(self.replayed_windows)} taken over" + (f", {decoded} decoded" if decoded else "")


def _windows(count: int) -> str:
    return "1 window" if count == 1 else f"{count} windows"


class RegisteredModel(models.Model):
    """A file of weights in OpenAI's format (`dims` and `model_state_dict`) that an administrator registered."""

    name = models.SlugField(max_length=80, unique=True)
    path = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64)
    file_bytes = models.BigIntegerField()
    added_at = models.DateTimeField(default=timezone.now)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["name"]
        verbose_name = "registered model"

    def __str__(self) -> str:
        return self.name


class QueueState(models.Model):
    """The rules of one host's queue: its hours for heavy work, and whether a person has paused it."""

    host = models.CharField(max_length=255, primary_key=True)
    openings = models.JSONField(default=list, blank=True, help_text="[weekday, start minute, end minute] each")
    zone = models.CharField(max_length=64, blank=True, help_text="Empty: the panel's time zone")
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=255, blank=True)
    paused_why = models.CharField(max_length=200, blank=True)
    pause_stops_running = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.host


class QueueChange(models.Model):
    """One change of the rules: the hours, or a pause, with who and when."""

    host = models.CharField(max_length=255)
    at = models.DateTimeField(default=timezone.now)
    who = models.CharField(max_length=255)
    name = models.CharField(max_length=20)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    openings = models.JSONField(null=True, blank=True, help_text="Of a change of hours: the new ones")
    zone = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["host", "at"], name="queue_change_host_at")]

    def __str__(self) -> str:
        return f"{self.name}: {self.before} → {self.after}"
