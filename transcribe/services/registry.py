"""Models that an administrator adds."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from transcribe.errors import ModelUnknown
from transcribe.file_hashes import file_sha256_cached
from transcribe.models import RegisteredModel

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


def model_register(name: str, path: str, user: User | AnonymousUser | None) -> RegisteredModel:
    """Register a checkpoint file of this machine under `name`.

    Raises:
        ModelUnknown: the path is not an absolute path to a readable checkpoint of torch.
    """
    file = Path(path)
    if not file.is_absolute() or not file.is_file():
        raise ModelUnknown(f"{path} is not a file on this machine: give the absolute path of a checkpoint (.pt).")
    try:
        if not zipfile.is_zipfile(file):  # the format of torch.save since 1.6
            raise ModelUnknown(f"{path} is not a checkpoint written by torch (a .pt file in OpenAI's format).")
        sha256 = file_sha256_cached(file)
    except OSError as error:
        raise ModelUnknown(f"{path} cannot be read by the panel: {error.strerror}. Check its permissions.") from error
    return RegisteredModel.objects.create(
        name=name,
        path=str(file.resolve()),
        sha256=sha256,
        file_bytes=file.stat().st_size,
        added_by=user if user is not None and user.is_authenticated else None,
    )
