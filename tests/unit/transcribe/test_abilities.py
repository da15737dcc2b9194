"""What a model cannot do is refused before a job is made: a language it does not know, a translation."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import pytest

from tests.support.speech_files import SAMPLE
from tests.support.uploading import stored_files
from transcribe.abilities import abilities_check, model_abilities
from transcribe.errors import OptionsInvalid
from transcribe.models import Job, RegisteredModel
from transcribe.options import DecodingOptions
from transcribe.services import job_submit
from transcribe.uploads import local_upload

LARGE_LAYERS, TURBO_LAYERS = (32, 32), (32, 4)


def checkpoint(path: Path, tokens: int, layers: tuple[int, int] = (6, 6)) -> str:
    """As torch.save writes it, without weights; the value that the model is chosen by."""
    dims = {"n_mels": 80, "n_vocab": tokens, "n_audio_layer": layers[0], "n_text_layer": layers[1]}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps({"dims": dims, "model_state_dict": {}}, protocol=2))
    return f"file:{path}"


def refusal(model: str, *, language: str = "", task: str = "transcribe") -> tuple[str, str]:
    """The option that is refused, and the sentence."""
    with pytest.raises(OptionsInvalid) as refused:
        abilities_check(model, language=language, task=task)
    return refused.value.option, str(refused.value)


@pytest.mark.parametrize("model", ["tiny", "base", "small", "medium", "large-v1", "large-v2"])
def test_a_model_of_99_languages_refuses_the_hundredth(model: str) -> None:
    assert refusal(model, language="yue") == (
        "language",
        f"{model} does not know Cantonese. Choose another language or Detect, or a model that knows it, "
        "such as large-v3.",
    )
    abilities_check(model, language="su", task="translate")  # the 99th


@pytest.mark.parametrize("model", ["large-v3", "large", "large-v3-turbo", "turbo"])
def test_a_model_of_100_languages_takes_it(model: str) -> None:
    abilities_check(model, language="yue", task="transcribe")


@pytest.mark.parametrize("model", ["large-v3-turbo", "turbo"])
def test_turbo_refuses_to_translate(model: str) -> None:
    option, said = refusal(model, language="fr", task="translate")
    assert option == "task"
    assert said.startswith(f"{model} was not trained to translate")
    assert "large-v3 or medium" in said


def test_an_english_model_refuses_other_languages_and_translation() -> None:
    option, said = refusal("base.en", language="fr")
    assert (option, said) == (
        "language",
        "base.en knows English only. Choose English or Detect, or the model “base”.",
    )
    option, said = refusal("base.en", task="translate")
    assert option == "task"
    assert "cannot translate" in said and "“base”" in said
    for language in ("", "en"):
        abilities_check("base.en", language=language, task="transcribe")


@pytest.mark.django_db
def test_the_demo_knows_english_only() -> None:
    assert refusal("demo", language="de")[1].startswith("The demo knows English only.")


@pytest.mark.django_db
def test_a_checkpoint_is_known_by_its_dimensions(tmp_path: Path) -> None:
    english, many = checkpoint(tmp_path / "e.pt", 51_864), checkpoint(tmp_path / "m.pt", 51_865)
    newest = checkpoint(tmp_path / "n.pt", 51_866, LARGE_LAYERS)
    turbo = checkpoint(tmp_path / "t.pt", 51_866, TURBO_LAYERS)
    assert "e.pt knows English only" in refusal(english, language="fr")[1]
    assert "does not know Cantonese" in refusal(many, language="yue")[1]
    assert "not trained to translate" in refusal(turbo, task="translate")[1]
    abilities_check(newest, language="yue", task="translate")
    abilities_check(many, language="fr", task="translate")


@pytest.mark.django_db
def test_a_registered_checkpoint_is_known_as_well(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "m.pt", 51_865).removeprefix("file:")
    RegisteredModel.objects.create(name="mine", path=path, sha256="a" * 64, file_bytes=1)
    assert refusal("registered:mine", language="yue")[1].startswith("mine does not know Cantonese.")


@pytest.mark.django_db
@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no archive"])
def test_of_a_file_that_says_nothing_nothing_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(content)
    assert model_abilities(f"file:{tmp_path / 'x.pt'}") is None
    assert model_abilities(f"file:{tmp_path / 'gone.pt'}") is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("uploads")
def test_no_job_is_made_and_no_file_kept() -> None:
    options = DecodingOptions(task="translate")
    with local_upload(SAMPLE) as upload, pytest.raises(OptionsInvalid, match="not trained to translate"):
        job_submit(upload, title="", model="turbo", language="", options=options, user=None)
    assert not Job.objects.exists()
    assert stored_files() == []
