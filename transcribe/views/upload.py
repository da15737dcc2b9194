"""Files come in here, and only here.

Django's CSRF middleware reads the whole body before any view may say no. So the order is turned round: the outer
view is exempt and looks at the headers alone (logged in? allowed?); only then the inner one reads and checks.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied, TooManyFilesSent
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponseBase, JsonResponse, UnreadablePostError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from transcribe.audio.errors import AudioError
from transcribe.errors import TranscribeError, UploadRefused
from transcribe.forms import UploadForm
from transcribe.models import Job
from transcribe.names import stem_of
from transcribe.services import Submitted, job_submit
from transcribe.upload_room import upload_place
from transcribe.uploads import HashingUploadHandler, upload_discard
from transcribe.views.access import ADD, may
from transcribe.views.jobs import upload_context

LOGIN_AGAIN = "You are no longer logged in. Log in again, then upload the file once more."
TOO_MANY = (
    f"At most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files can come at once, and these were more. None was kept; "
    "choose fewer."
)
SILENT = (
    "Nothing more of the upload arrived for 30 seconds, so it was ended. Nothing was kept. Check the connection and "
    "upload the file again."
)
BROKEN = "The connection broke before the whole file had arrived. Nothing was kept. Upload the file again."
NOT_ALLOWED = "Your account may not add jobs. Ask an administrator for the permission “Can add job”."


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one file: a job, or the reason why not."""

    name: str
    submitted: Submitted | None = None
    error: str = ""


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def job_upload(request: HttpRequest) -> HttpResponseBase:
    refusal = _refusal_by_headers(request)
    if refusal is not None:
        return refusal
    handler = HashingUploadHandler(request)
    request.upload_handlers = [handler]
    try:
        with upload_place(request.user.pk):
            return _read_and_submit(request)
    except UploadRefused as error:  # before or while the body was read
        return _answer(request, [Result(name="", error=str(error))])
    except TooManyFilesSent:
        return _answer(request, [Result(name="", error=TOO_MANY)])
    finally:
        handler.end()


def _read_and_submit(request: HttpRequest) -> HttpResponseBase:
    """Here, because Django's CSRF check takes a body that broke off for a form without a token."""
    try:
        request.POST.get("csrfmiddlewaretoken")
    except UnreadablePostError as error:
        return _broken_off(request, SILENT if isinstance(error.__cause__, TimeoutError) else BROKEN)
    return _job_upload(request)


def _broken_off(request: HttpRequest, text: str) -> HttpResponseBase:
    if _wants_json(request):
        return JsonResponse({"error": text}, status=400)
    return render(request, "error.html", {"code": 400, "title": "The upload broke off", "text": text}, status=400)


def _refusal_by_headers(request: HttpRequest) -> HttpResponseBase | None:
    """An answer that needs nothing of the body, or None when it may be read."""
    if may(request, ADD):
        return None
    if not request.user.is_authenticated:
        if _wants_json(request):
            return JsonResponse({"error": LOGIN_AGAIN}, status=401)
        return redirect_to_login(reverse("job-list"))
    if _wants_json(request):
        return JsonResponse({"error": NOT_ALLOWED}, status=403)
    raise PermissionDenied


@csrf_protect
def _job_upload(request: HttpRequest) -> HttpResponseBase:
    form = UploadForm(request.POST)
    files = [file for file in request.FILES.getlist("files") if isinstance(file, TemporaryUploadedFile)]
    try:
        if not form.is_valid():
            return _answer_invalid(request, form)
        if not files:
            return _answer(request, [Result(name="", error="No file was chosen. Choose a recording first.")])
        return _answer(request, [_submit(request, form, file, len(files)) for file in files])
    finally:
        for file in files:
            upload_discard(file)


def _submit(request: HttpRequest, form: UploadForm, file: TemporaryUploadedFile, count: int) -> Result:
    name = file.name or "the file"
    try:
        submitted = job_submit(
            file,
            title=job_title(form.cleaned_data["title"], name, count),
            model=form.cleaned_data["model"],
            language=form.cleaned_data["language"],
            options=form.options,
            user=request.user,
        )
    except (AudioError, TranscribeError) as error:
        return Result(name=name, error=str(error))
    return Result(name=name, submitted=submitted)


def job_title(title: str, name: str, count: int) -> str:
    """Of several files that came with one title, each keeps its own name behind it."""
    return f"{title}: {stem_of(name)}" if title and count > 1 else title


# ── Answers: JSON for the page's script, messages for a form without it ─────────────────────────────
def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "") == "application/json"


def _answer(request: HttpRequest, results: list[Result]) -> HttpResponseBase:
    if _wants_json(request):
        return _answer_json(results)
    for result in results:
        _message(request, result)
    jobs = [result.submitted.job for result in results if result.submitted is not None]
    return redirect("job", jobs[0].pk) if len(jobs) == 1 == len(results) else redirect("job-list")


def _answer_json(results: list[Result]) -> JsonResponse:
    """201 when a job came of it, else 422. One file: its answer; several: `results`, in the order they came."""
    answers = [_result_json(result) for result in results]
    status = 201 if any(result.submitted is not None for result in results) else 422
    return JsonResponse(answers[0] if len(answers) == 1 else {"results": answers}, status=status)


def _result_json(result: Result) -> dict[str, object]:
    if result.submitted is None:
        return {"error": result.error}
    duplicate = result.submitted.duplicate_of
    return {
        "job": _job_json(result.submitted.job),
        "duplicate": None if duplicate is None else _job_json(duplicate),
        "notes": result.submitted.job.note.splitlines(),
    }


def _job_json(job: Job) -> dict[str, str]:
    return {"title": job.title, "url": reverse("job", args=[job.pk])}


def _message(request: HttpRequest, result: Result) -> None:
    if result.submitted is None:
        messages.error(request, result.error)
        return
    job, duplicate = result.submitted.job, result.submitted.duplicate_of
    messages.success(request, f"“{job.title}” is queued.")
    if duplicate is not None:
        messages.warning(
            request, f"The same recording was uploaded before, as job {duplicate.pk}, “{duplicate.title}”."
        )


def _answer_invalid(request: HttpRequest, form: UploadForm) -> HttpResponseBase:
    if _wants_json(request):
        errors = {form[name].html_name: list(texts) for name, texts in form.errors.items() if name in form.fields}
        first = next(iter(form.errors.values()))[0]
        return JsonResponse({"error": str(first), "fields": errors}, status=422)
    return render(request, "transcribe/upload_again.html", upload_context(form), status=422)
