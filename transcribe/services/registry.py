"""Models that an administrator adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transcribe.catalog import model_named
from transcribe.checkpoints import checkpoint_check
from transcribe.errors import ModelUnknown
from transcribe.models import RegisteredModel
from transcribe.resolve import DEMO

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


def model_register(name: str, path: str, user: User | AnonymousUser | None) -> RegisteredModel:
    """Register a checkpoint file of this machine under `name`.

    Raises:
        ModelUnknown: the name is taken, or the path is not an absolute path to a readable checkpoint of torch.
    """
    model_name_check(name)
    file, sha256 = checkpoint_check(path)
    return RegisteredModel.objects.create(
        name=name,
        path=str(file),
        sha256=sha256,
        file_bytes=file.stat().st_size,
        added_by=user if user is not None and user.is_authenticated else None,
    )


def model_name_check(name: str) -> None:
    """Raise ModelUnknown for the name of a model that everybody has: which one is meant must be clear."""
    if name == DEMO or model_named(name) is not None:
        raise ModelUnknown(f"“{name}” is the name of a built-in model. Choose another name.")
