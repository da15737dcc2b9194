"""What a start needs once: database, administrator, collected static files, the sample as the first job."""

from __future__ import annotations

import hashlib
import io
import random
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q

from j5a_admin.backup.manifest import SAMPLE_MARK
from j5a_admin.claims import DataUnusable, data_alone
from j5a_admin.secret import private_directory, secret_write
from transcribe.models import Job, JobSource
from transcribe.options import DecodingOptions
from transcribe.resolve import DEMO
from transcribe.services import job_submit
from transcribe.uploads import local_upload

ADMIN_NAME = "admin"
SAMPLE_PATH = Path(settings.BASE_DIR) / "transcribe" / "demo" / "sample.mp3"
MIGRATE_WAIT_SECONDS = 5.0
Say = Callable[[str], None]

_OF_THE_PANEL = Q(content_type__app_label__in=("gate", "transcribe"))
ROLES = {
    # Look at everything, bring jobs in, cancel, retry, hold and arrange them, pause the queue, look after incidents.
    "Operators": _OF_THE_PANEL
    & (Q(codename__startswith="view_") | Q(codename__in=("add_job", "change_job", "handle_incident"))),
    # All of that, delete jobs, act on the machine, and look after people.
    "Administrators": _OF_THE_PANEL | Q(content_type__app_label="auth", content_type__model__in=("user", "group")),
}


def database_path() -> Path:
    return Path(str(settings.DATABASES["default"]["NAME"]))


def directories_make() -> None:
    """The folders of the data directory, and the one for weights, which may lie elsewhere.

    Raises:
        ImproperlyConfigured: one cannot be made.
    """
    for path in (settings.MEDIA_ROOT, settings.FILE_UPLOAD_TEMP_DIR, settings.WORK_DIR, settings.LOG_DIR):
        private_directory(Path(path))
    private_directory(Path(settings.MODELS_DIR), setting="J5A_MODELS_DIR")


def database_migrate(say: Say) -> None:
    """Bring the database up to date, alone on it; of several that start at once, the others wait for the one that does.

    Raises:
        DataUnusable: it is not up to date, and other programs use it.
    """
    deadline = time.monotonic() + MIGRATE_WAIT_SECONDS
    while steps := _steps_missing():
        try:
            with data_alone(settings.DATA_DIR):
                say(f"Preparing the database ({steps} steps) …")
                call_command("migrate", interactive=False, verbosity=0)
        except DataUnusable:
            if time.monotonic() > deadline:
                raise
            connections.close_all()
            time.sleep(random.uniform(0.1, 0.4))  # noqa: S311 - so that two do not ask in step
    database_path().chmod(0o600)


def _steps_missing() -> int:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def static_collect(say: Say) -> None:
    """Collect the static files again only when one of them has changed."""
    stamp = Path(settings.STATIC_ROOT) / ".collected-from"
    fingerprint = _static_fingerprint()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == fingerprint:
        return
    say("Collecting static files …")
    call_command("collectstatic", interactive=False, verbosity=0, clear=True, stdout=io.StringIO())
    stamp.write_text(fingerprint, encoding="ascii")


def administrator_make(say: Say) -> None:
    """The first administrator, once: the password is shown now and kept in a file for its owner only."""
    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return
    password = secrets.token_urlsafe(12)
    path = Path(settings.DATA_DIR) / "first_password"
    secret_write(path, f"{ADMIN_NAME} {password}")
    users.objects.create_superuser(ADMIN_NAME, password=password)
    say(f"Administrator: {ADMIN_NAME}   Password: {password}   (also in {path})")


def roles_make() -> None:
    """The two groups of people, each once: what somebody changes about a group stays."""
    for name, permissions in ROLES.items():
        with transaction.atomic():
            group, is_new = Group.objects.get_or_create(name=name)
            if is_new:
                group.permissions.set(Permission.objects.filter(permissions))


def sample_submit(say: Say) -> None:
    """On an empty database, the bundled sample becomes the first job."""
    if Job.objects.exists() or default_storage.exists(SAMPLE_MARK) or not SAMPLE_PATH.is_file():
        return
    with local_upload(SAMPLE_PATH) as upload:
        job_submit(
            upload,
            title="Sample: a machine's night log",
            model=DEMO,
            language="en",
            options=DecodingOptions(),
            user=None,
            source=JobSource.SAMPLE,
        )
    (Path(settings.MEDIA_ROOT) / SAMPLE_MARK).touch()
    say("The bundled sample is the first job: its transcript will be in the panel within a minute.")


def _static_fingerprint() -> str:
    """Changes with any file of ours under static/ and with the installed packages that bring their own."""
    digest = hashlib.sha256()
    roots = [Path(path) for path in settings.STATICFILES_DIRS]
    for path in sorted(file for root in roots for file in root.rglob("*") if file.is_file()):
        stat = path.stat()
        digest.update(f"{path} {stat.st_mtime_ns} {stat.st_size}\n".encode())
    digest.update((Path(settings.BASE_DIR) / "requirements.txt").read_bytes())
    return digest.hexdigest()
