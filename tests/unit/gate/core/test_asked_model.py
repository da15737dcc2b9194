"""The model that a Whisper command line loads, in every spelling of its programs."""

from __future__ import annotations

import argparse
import importlib
import shlex
from typing import Any

import pytest

from gate.core.asked_model import LARGEST, asked_model
from gate.core.requirement import MODEL_NAMES, requirement_for_model


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("whisper a.mp3 --model large-v3", "large-v3"),
        ("whisper a.mp3 --model=large", "large"),
        ("whisper --model large-v3-turbo a.mp3", "large-v3-turbo"),
        ("whisper --model tiny --model medium a.mp3", "medium"),
        ("whisper --model medium --model tiny a.mp3", "medium"),
        ("whisper large.mp3 --model tiny --model_dir /models/large", "tiny"),
        ("/usr/local/bin/whisper a.mp3 --model base.en", "base.en"),
        ("whisper a.mp3 --model /models/large-v2.pt", "large-v2"),
        ("python -m whisper a.mp3 --model small", "small"),
        ("python3 -um whisper --model=small.en a.mp3", "small.en"),
        ("python3.11 -mwhisper a.mp3 --model small", "small"),
        ("python /usr/bin/whisper a.mp3 --model medium.en", "medium.en"),
        ("whisper-ctranslate2 a.mp3 --model large-v3", "large-v3"),
        ("whisper-ctranslate2 a.mp3 --model tiny --model_directory /m/faster-whisper-large-v3/", "large-v3"),
        ("whisperx a.mp3 --model Systran/faster-whisper-large-v2", "large-v2"),
        ("whisperx a.mp3 --model distil-large-v3", "large-v3"),
        ("faster-whisper a.mp3 --model_size medium", "medium"),
        ("faster-whisper-xxl a.mp3 -m small", "small"),
        ("insanely-fast-whisper --file-name a.mp3 --model-name openai/whisper-base", "base"),
        ("whisper-cli -m models/ggml-large-v3-q5_0.bin -f a.wav", "large-v3"),
        ("whisper-cli -mmodels/ggml-large-v3.bin -f a.wav", "large-v3"),
        ("whisper-cli --model ggml-small.en-q8_0.bin a.wav", "small.en"),
        ("whisper-cli -m ggml-large-v3-turbo.bin a.wav", "large-v3-turbo"),
        ("./main -m models/ggml-medium.bin -f a.wav", "medium"),
        ("whisper-server -m /models/ggml-tiny.bin", "tiny"),
    ],
)
def test_it_reads_the_model_from_the_arguments(line: str, name: str) -> None:
    asked = asked_model(shlex.split(line))
    assert asked is not None
    assert (asked.name, asked.is_known) == (name, True)
    assert asked.phrase == name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("whisper a.mp3", "turbo"),
        ("python -m whisper large.mp3", "turbo"),
        ("whisper-ctranslate2 a.mp3", "small"),
        ("whisperx a.mp3", "small"),
        ("whisper-timestamped a.mp3", "small"),
        ("insanely-fast-whisper --file-name a.mp3", "large-v3"),
        ("faster-whisper-xxl a.mp3", "medium"),
        ("whisper-cli -f a.wav", "base.en"),
        ("whisper-server", "base.en"),
    ],
)
def test_without_an_option_it_is_the_default_of_the_program(line: str, name: str) -> None:
    asked = asked_model(shlex.split(line))
    assert asked is not None
    assert (asked.name, asked.text, asked.is_known) == (name, "", True)
    assert asked.phrase == f"{name}, the default of {asked.program}"


def test_the_default_of_the_installed_whisper_is_the_one_we_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own argument parser is asked, as it is built."""
    defaults: dict[str, Any] = {}

    def parse_args(parser: argparse.ArgumentParser) -> None:
        defaults["model"] = parser.get_default("model")
        raise KeyboardInterrupt

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module("whisper.transcribe").cli()
    asked = asked_model(["whisper", "a.mp3"])
    assert asked is not None
    assert asked.name == defaults["model"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("whisper a.mp3 --model my-finetune", "my-finetune, which is not known and counts as large-v3"),
        ("whisper a.mp3 --model tinyish.pt", "tinyish.pt, which is not known and counts as large-v3"),
        ("whisper a.mp3 --model /large/x.pt", "/large/x.pt, which is not known and counts as large-v3"),
        ("whisper a.mp3 --model ''", "whisper’s default model, which is not known and counts as large-v3"),
        ("faster-whisper a.mp3", "faster-whisper’s default model, which is not known and counts as large-v3"),
        ("python faster_whisper_cli.py a.mp3", "faster-whisper-cli’s default model, which is not known and counts as"),
    ],
)
def test_what_is_not_known_counts_as_the_largest(line: str, said: str) -> None:
    asked = asked_model(shlex.split(line))
    assert asked is not None
    assert (asked.name, asked.is_known) == (LARGEST, False)
    assert asked.phrase.startswith(said)


def test_the_largest_is_the_largest() -> None:
    assert requirement_for_model(LARGEST).bytes == max(requirement_for_model(name).bytes for name in MODEL_NAMES)


@pytest.mark.parametrize(
    "line", ["", "ls --model large", "grep whisper --model large", "whisper --help", "whisper-cli -h", "vim whisper"]
)
def test_what_loads_no_model_asks_for_none(line: str) -> None:
    assert asked_model(shlex.split(line)) is None


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_it_knows_every_name_that_has_a_requirement(name: str) -> None:
    asked = asked_model(["whisper", "a.mp3", "--model", name])
    assert asked is not None
    assert asked.name == name
