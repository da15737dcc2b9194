"""The recording of a job for the page's player: byte ranges, so that it can seek."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from transcribe.models import Job
from transcribe.ranges import ByteRange, RangeNotSatisfiable, parse_range
from transcribe.views.access import VIEW, staff_page

BLOCK_BYTES = 64 * 1024
# A player asks for "everything from here" and then stops reading: each open page would hold one of the
# threads. So a range is answered with a piece, and the player asks for the next one when it needs it.
PIECE_BYTES = 2 * 1024 * 1024

# The name PyAV gives the container (the last part of `Job.audio_format`) and what browsers call it.
CONTENT_TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "w64": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "aac": "audio/aac",
    "aiff": "audio/aiff",
    "amr": "audio/amr",
    "caf": "audio/x-caf",
    "mov,mp4,m4a,3gp,3g2,mj2": "audio/mp4",
    "matroska,webm": "video/webm",
    "avi": "video/x-msvideo",
    "mpeg": "video/mpeg",
    "mpegts": "video/mp2t",
}
OTHER_CONTENT_TYPE = "application/octet-stream"


@require_safe
@staff_page(VIEW)
def job_audio(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """200 with the whole file, 206 with a piece of it, 304 or 416."""
    job = get_object_or_404(Job, pk=job_id)
    if not job.audio or not default_storage.exists(job.audio.name or ""):
        raise Http404("The recording of this job is no longer here.")
    size = default_storage.size(job.audio.name or "")
    tag = f'"{job.audio_sha256}"'
    if _tags(request.headers.get("If-None-Match", "")) & {tag, "*"}:
        return _with_headers(HttpResponse(status=304), job, tag)
    try:
        wanted = parse_range(_range_header(request, tag), size)
    except RangeNotSatisfiable:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        return _with_headers(response, job, tag)
    return _with_headers(_answer(request, job, wanted, size), job, tag)


def _tags(header: str) -> set[str]:
    return {part.strip().removeprefix("W/") for part in header.split(",")}


def _range_header(request: HttpRequest, tag: str) -> str | None:
    """The Range header; none for HEAD, and none when `If-Range` names another version of the file."""
    condition = request.headers.get("If-Range")
    if request.method != "GET" or (condition is not None and condition.strip() != tag):
        return None
    return request.headers.get("Range")


def _answer(request: HttpRequest, job: Job, wanted: ByteRange | None, size: int) -> HttpResponseBase:
    piece = ByteRange(0, size - 1) if wanted is None else wanted.at_most(PIECE_BYTES)
    headers = {"Content-Length": str(piece.length)}
    if wanted is not None:
        headers["Content-Range"] = f"bytes {piece.first}-{piece.last}/{size}"
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    blocks = _blocks(job.audio.name or "", piece)
    return StreamingHttpResponse(blocks, status=200 if wanted is None else 206, headers=headers)


def _blocks(name: str, piece: ByteRange) -> Iterator[bytes]:
    """Opens the file itself: of an answer that nobody reads, nothing is left open."""
    with default_storage.open(name) as file:
        file.seek(piece.first)
        left = piece.length
        while left > 0 and (block := file.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block


def _with_headers(response: HttpResponseBase, job: Job, tag: str) -> HttpResponseBase:
    response["Content-Type"] = content_type(job)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = tag
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(job.original_name)}"
    return response


def content_type(job: Job) -> str:
    """From what the probe found in the file, never from the name a person gave it."""
    return CONTENT_TYPES.get(job.audio_format.rsplit(", ", 1)[-1], OTHER_CONTENT_TYPE)


__all__ = ["content_type", "job_audio"]
