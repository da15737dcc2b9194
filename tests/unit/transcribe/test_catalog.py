"""What is read from whisper's source is what whisper itself knows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.panel import BASE_DIR
from transcribe.catalog import catalog, language_code, languages, model_named


def test_it_has_every_model_of_whisper_with_its_address() -> None:
    import whisper

    assert {model.name: model.url for model in catalog()} == whisper._MODELS
    assert [model.name for model in catalog()] == whisper.available_models()


def test_the_hash_and_file_name_are_those_whisper_takes_from_the_address() -> None:
    for model in catalog():
        assert model.sha256 == model.url.split("/")[-2]
        assert model.file_name == model.url.rsplit("/", 1)[1]
        assert model.english_only is (".en" in model.name)


def test_it_has_every_language_of_whisper() -> None:
    from whisper.tokenizer import LANGUAGES

    assert languages() == LANGUAGES


def test_it_knows_every_name_whisper_has_for_a_language() -> None:
    from whisper.tokenizer import TO_LANGUAGE_CODE

    assert {name: language_code(name) for name in TO_LANGUAGE_CODE} == TO_LANGUAGE_CODE


@pytest.mark.parametrize(
    ("text", "code"),
    [("de", "de"), ("German", "de"), (" CASTILIAN ", "es"), ("klingon", None), ("", None), ("deu", None)],
)
def test_a_language_is_known_by_code_or_name(text: str, code: str | None) -> None:
    assert language_code(text) == code


def test_a_model_is_known_by_its_exact_name() -> None:
    model = model_named("large-v3")
    assert model is not None
    assert model.file_name == "large-v3.pt"
    assert model_named("Large-v3") is None


def test_reading_it_loads_neither_whisper_nor_torch() -> None:
    code = (
        "import sys; from transcribe.catalog import catalog; catalog(); print({'whisper', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
