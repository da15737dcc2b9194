"""`submit.py FILE [--model=…] [--language=…] [--NAME=VALUE]`: a job for the worker, through the service."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ["DJANGO_SETTINGS_MODULE"] = "j5a_admin.settings"

import django

django.setup()

from transcribe.options import DecodingOptions  # noqa: E402
from transcribe.services import job_submit  # noqa: E402
from transcribe.uploads import local_upload  # noqa: E402

values = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[2:])
model, language, title = values.pop("model", "demo"), values.pop("language", ""), values.pop("title", "")
with local_upload(Path(sys.argv[1])) as upload:
    submitted = job_submit(
        upload,
        title=title,
        model=model,
        language=language,
        options=DecodingOptions.from_mapping(values),
        user=None,
    )
print(submitted.job.pk)
