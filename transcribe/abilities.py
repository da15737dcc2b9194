"""What a model can do, as far as it is known without loading it: its languages, and whether it translates."""

from __future__ import annotations

from dataclasses import dataclass

from transcribe.catalog import languages, model_named
from transcribe.checkpoints import Dimensions, checkpoint_dimensions
from transcribe.errors import ModelUnknown, OptionsInvalid
from transcribe.resolve import DEMO, local_path, model_label

# whisper/model.py: 51864 tokens are English only, 51865 stand for 99 languages, each further one adds a token.
ENGLISH_TOKENS = 51_864
TOKENS_BESIDE_LANGUAGES = 51_766
# Those of openai-whisper 20250625 that were made after "yue" was added; "large" is large-v3.
OF_100_LANGUAGES = frozenset({"large-v3", "large", "large-v3-turbo", "turbo"})
TURBO_LAYERS = (32, 4)  # of its encoder and decoder


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """`languages`: codes, in whisper's order. `multilingual`: a model to take instead of one that is English only."""

    name: str
    languages: tuple[str, ...]
    translates: bool
    multilingual: str = ""

    @property
    def is_english_only(self) -> bool:
        return self.languages == ("en",)


def abilities_check(model: str, *, language: str, task: str) -> None:
    """Refuse what the model cannot do; `language` may be empty, for one that is detected.

    Raises:
        OptionsInvalid: with what to choose instead.
    """
    can = model_abilities(model)
    if can is None:
        return
    if language and language not in can.languages:
        raise OptionsInvalid(_language_text(can, language), option="language")
    if task == "translate" and not can.translates:
        raise OptionsInvalid(_translate_text(can), option="task")


def model_abilities(model: str) -> Abilities | None:
    """None where they cannot be told: the engine says so then, in its own words."""
    known = model_named(model)
    if known is not None:
        if known.english_only:
            return _english_only(known.name, multilingual=known.name.removesuffix(".en"))
        count = 100 if known.name in OF_100_LANGUAGES else 99
        return Abilities(name=known.name, languages=_first(count), translates="turbo" not in known.name)
    try:
        dimensions = checkpoint_dimensions(local_path(model))
    except (ModelUnknown, OSError):
        return None
    name = "The demo" if model == DEMO else model_label(model)
    return None if dimensions is None else _of_dimensions(name, dimensions)


def _of_dimensions(name: str, dimensions: Dimensions) -> Abilities:
    if dimensions.tokens <= ENGLISH_TOKENS:
        return _english_only(name)
    return Abilities(
        name=name,
        languages=_first(dimensions.tokens - TOKENS_BESIDE_LANGUAGES),
        translates=(dimensions.encoder_layers, dimensions.decoder_layers) != TURBO_LAYERS,
    )


def _english_only(name: str, *, multilingual: str = "") -> Abilities:
    return Abilities(name=name, languages=("en",), translates=False, multilingual=multilingual)


def _first(count: int) -> tuple[str, ...]:
    return tuple(languages())[:count]


def _language_text(can: Abilities, language: str) -> str:
    if can.is_english_only:
        return f"{can.name} knows English only. Choose English or Detect, or {_other(can)}."
    name = languages().get(language, language).title()
    return (
        f"{can.name} does not know {name}. Choose another language or Detect, or a model that knows it, such as "
        "large-v3."
    )


def _translate_text(can: Abilities) -> str:
    if can.is_english_only:
        return f"{can.name} knows English only and cannot translate. Choose the task transcribe, or {_other(can)}."
    return (
        f"{can.name} was not trained to translate: it would write the language that is spoken. Choose the task "
        "transcribe, or another model, such as large-v3 or medium."
    )


def _other(can: Abilities) -> str:
    return f"the model “{can.multilingual}”" if can.multilingual else "a model of many languages"


__all__ = ["Abilities", "abilities_check", "model_abilities"]
