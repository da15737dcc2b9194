"""From a model's name to its file: `demo`, openai-whisper's names, registered models, checkpoint paths.

A value is one text, kept in `Job.model`: "demo", "large-v3", "registered:my-model" or "file:/path/to/model.pt".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from gate.core.processes import command_text
from gate.core.requirement import Requirement, requirement_for_checkpoint, requirement_for_model
from transcribe.catalog import CatalogModel, catalog, model_named
from transcribe.checkpoints import checkpoint_check
from transcribe.declared import checkpoint_declared
from transcribe.errors import ModelUnknown
from transcribe.file_hashes import file_sha256_cached
from transcribe.learned import LearnedPeak, learned_peaks, with_learned
from transcribe.models import RegisteredModel

DEMO = "demo"
REGISTERED = "registered:"
FILE = "file:"
DEMO_PATH = Path(__file__).resolve().parent / "demo" / "demo.pt"
DEMO_WORDS_PATH = DEMO_PATH.with_name("words.txt")


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """What a person can pick, and what the gate asks for before it starts."""

    value: str
    label: str
    group: str
    requirement: Requirement
    note: str = ""

    @property
    def requirement_bytes(self) -> int:
        """Memory, without the margin."""
        return self.requirement.bytes


@dataclass(frozen=True, kw_only=True)
class ResolvedModel:
    """A model that is here: its file, its hash (provenance), and what the gate must ask for."""

    value: str
    whisper_name: str
    path: Path
    sha256: str
    requirement: Requirement


def demo_word_count() -> int:
    return len(DEMO_WORDS_PATH.read_text(encoding="utf-8").split())


def model_choices() -> list[ModelChoice]:
    """The same few queries for any number of models."""
    peaks = learned_peaks()
    demo = ModelChoice(
        value=DEMO,
        label=f"demo ({demo_word_count()} words)",
        group="Ready here",
        requirement=model_requirement(DEMO, peaks),
        note="A small demonstration: it knows only these words, in clear synthetic speech.",
    )
    registered = [_registered_choice(model, peaks) for model in RegisteredModel.objects.all()]
    there = [choice for choice in registered if choice is not None]
    return [demo, *there, *(_catalog_choice(model, peaks) for model in catalog())]


def _registered_choice(model: RegisteredModel, peaks: Mapping[str, LearnedPeak]) -> ModelChoice | None:
    """None while its file is gone: then it cannot be chosen, and every other model still can."""
    try:
        named = requirement_for_checkpoint(model.name, Path(model.path).stat().st_size)
    except OSError:
        return None
    return ModelChoice(
        value=REGISTERED + model.name,
        label=model.name,
        group="Registered here",
        requirement=with_learned(named, REGISTERED + model.name, peaks),
    )


def model_requirement(value: str, peaks: Mapping[str, LearnedPeak] | None = None) -> Requirement:
    """What the gate asks for before `value` may start: by name or size, and no less than past runs here took.

    Does not fetch anything.

    Raises:
        ModelUnknown: there is no such model.
    """
    return with_learned(_requirement_by_name_or_size(value), value, peaks)


def _requirement_by_name_or_size(value: str) -> Requirement:
    if model_named(value) is not None:
        return requirement_for_model(value)
    path = local_path(value)
    try:
        declared = checkpoint_declared(path)
        return requirement_for_checkpoint(model_label(value), declared.file_bytes, declared.parameters)
    except OSError as error:
        raise _unreadable(path, error) from error


def model_label(value: str) -> str:
    """The name people read."""
    return value.removeprefix(REGISTERED).removeprefix(FILE)


def model_value(text: str) -> str:
    """The stored value for what a person typed at the command line: a name, `demo` or a checkpoint path.

    Raises:
        ModelUnknown: neither a name nor a checkpoint file.
    """
    shown = text.encode(errors="replace").decode()
    if shown != text:
        raise ModelUnknown(f"“{shown}” is no model: a name or path of bytes that are no text cannot be stored.")
    if text == DEMO or model_named(text) is not None or text.startswith((REGISTERED, FILE)):
        return text
    if RegisteredModel.objects.filter(name=text).exists():
        return REGISTERED + text
    if _is_file(text):
        file, _ = checkpoint_check(str(Path(text).absolute()))
        return FILE + str(file)
    names = ", ".join(model.name for model in catalog())
    raise ModelUnknown(f"“{command_text([text], 400)}” is neither a model nor a file. Models: {DEMO}, {names}.")


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # longer than a path can be
        return False


def model_fetch(
    value: str, *, on_progress: Callable[[int, int | None], None], should_stop: Callable[[], bool]
) -> ResolvedModel:
    """The model's file, fetched on first use.

    Raises:
        ModelUnknown: there is no such model, or its file is gone.
        ModelUnavailable: it cannot be fetched; says where to put it and what its hash must be.
    """
    known = model_named(value)
    if known is not None:
        from transcribe.weights import weights_ensure  # HTTP and TLS: only the worker downloads

        path = weights_ensure(
            known,
            settings.MODELS_DIR,
            on_progress=on_progress,
            should_stop=should_stop,
            base_url=settings.WEIGHTS_URL,
        )
        sha256 = known.sha256
    else:
        path = local_path(value)
        try:
            sha256 = file_sha256_cached(path, should_stop=should_stop)
        except OSError as error:
            raise _unreadable(path, error) from error
        _require_registered(value, sha256)
    return ResolvedModel(
        value=value,
        whisper_name="" if known is None else known.name,
        path=path,
        sha256=sha256,
        requirement=model_requirement(value),
    )


def local_path(value: str) -> Path:
    if value == DEMO:
        return DEMO_PATH
    if value.startswith(FILE):
        return Path(value.removeprefix(FILE))
    registered = RegisteredModel.objects.filter(name=value.removeprefix(REGISTERED)).first()
    if not value.startswith(REGISTERED) or registered is None:
        raise ModelUnknown(f"There is no model “{model_label(value)}”. Pick one from the list.")
    return Path(registered.path)


def _require_registered(value: str, sha256: str) -> None:
    """A registered file that has changed is another model."""
    registered = RegisteredModel.objects.filter(name=value.removeprefix(REGISTERED)).first()
    if value.startswith(REGISTERED) and registered is not None and registered.sha256 != sha256:
        raise ModelUnknown(
            f"The file of the model “{registered.name}” has changed since it was registered (SHA-256 {sha256}, then "
            f"{registered.sha256}). Register the new file under another name, or put the old one back."
        )


def _unreadable(path: Path, error: OSError) -> ModelUnknown:
    return ModelUnknown(f"The model file {path} cannot be read: {error.strerror}. Put it back, or pick another model.")


def model_is_here(value: str) -> bool:
    """Whether its file lies here; of published weights that they are right is only known when they are used."""
    known = model_named(value)
    return known is None or (settings.MODELS_DIR / known.file_name).is_file()


def _catalog_choice(model: CatalogModel, peaks: Mapping[str, LearnedPeak]) -> ModelChoice:
    here = model_is_here(model.name)
    return ModelChoice(
        value=model.name,
        label=model.name,
        group="openai-whisper",
        requirement=model_requirement(model.name, peaks),
        note="" if here else "Fetched from the internet on first use.",
    )
