from __future__ import annotations

import argparse
import inspect
import sys
from typing import Any

import numpy as np
import pytest

from transcribe.errors import OptionsInvalid
from transcribe.options import NOT_TAKEN, OPTION_SPECS, SPEC_BY_NAME, DecodingOptions


def whisper_cli_defaults(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The defaults that openai-whisper's own parser gives."""
    import whisper.transcribe  # noqa: F401 - the module, behind the function of the same name

    seen: dict[str, Any] = {}

    def remember(self: argparse.ArgumentParser, *_: Any) -> argparse.Namespace:
        seen.update({action.dest: action.default for action in self._actions})
        raise KeyboardInterrupt

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", remember)
    with pytest.raises(KeyboardInterrupt):
        sys.modules["whisper.transcribe"].cli()
    return seen


def test_it_has_the_defaults_of_whispers_command(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = whisper_cli_defaults(monkeypatch)
    ours = DecodingOptions().to_json_dict()
    assert {name: theirs[name] for name in ours} == ours


def test_it_passes_only_what_whisper_takes() -> None:
    import whisper
    from whisper.decoding import DecodingOptions as Theirs

    from transcribe.job_run import engine_options

    taken = set(inspect.signature(whisper.transcribe).parameters) | set(Theirs.__dataclass_fields__)
    assert set(engine_options(DecodingOptions())) <= taken


@pytest.mark.parametrize(("first", "step"), [(0.0, 0.2), (0.0, 0.3), (0.5, 0.1), (1.0, 0.2), (0.2, 1.0)])
def test_it_builds_whispers_temperature_ladder(first: float, step: float) -> None:
    options = DecodingOptions(temperature=first, temperature_increment_on_fallback=step)
    assert options.temperatures() == pytest.approx(tuple(np.arange(first, 1.0 + 1e-6, step)))


def test_without_increment_there_is_one_temperature() -> None:
    assert DecodingOptions(temperature=0.4, temperature_increment_on_fallback=None).temperatures() == (0.4,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beam_size", "0"),
        ("beam_size", "21"),
        ("beam_size", "2.5"),
        ("temperature", "-0.1"),
        ("temperature", "1.1"),
        ("temperature", "nan"),
        ("temperature", "hot"),
        ("temperature_increment_on_fallback", "0"),
        ("task", "summarise"),
        ("word_timestamps", "perhaps"),
        ("suppress_tokens", "1,x"),
        ("suppress_tokens", "99999999"),
        ("initial_prompt", "x" * 2001),
        ("patience", "0"),
        ("nonsense", "1"),
    ],
)
def test_it_names_the_option_that_is_wrong(name: str, value: str) -> None:
    with pytest.raises(OptionsInvalid, match=name) as caught:
        DecodingOptions.from_mapping({name: value})
    assert caught.value.option == name


@pytest.mark.parametrize(
    ("name", "value", "parsed"),
    [
        ("beam_size", "", None),
        ("beam_size", "None", None),
        ("beam_size", "1", 1),
        ("beam_size", "20", 20),
        ("temperature", "", 0.0),
        ("temperature", "1", 1.0),
        ("word_timestamps", "True", True),
        ("word_timestamps", False, False),
        ("initial_prompt", " ", None),
        ("suppress_tokens", "-1", "-1"),
        ("suppress_tokens", "", ""),
        ("suppress_tokens", "None", ""),
        ("prepend_punctuations", "", ""),
        ("append_punctuations", "", ""),
        ("task", "", "transcribe"),
    ],
)
def test_it_reads_values_as_whispers_command_does(name: str, value: Any, parsed: Any) -> None:
    assert getattr(DecodingOptions.from_mapping({name: value}), name) == parsed


def test_it_refuses_options_that_need_another() -> None:
    with pytest.raises(OptionsInvalid, match="patience"):
        DecodingOptions.from_mapping({"patience": "1", "beam_size": ""})
    with pytest.raises(OptionsInvalid, match="word timestamps"):
        DecodingOptions.from_mapping({"hallucination_silence_threshold": "2"})


def test_changed_holds_only_what_differs() -> None:
    options = DecodingOptions.from_mapping({"beam_size": "5", "task": "translate"})
    assert options.changed() == {"task": "translate"}
    assert DecodingOptions.from_mapping(options.changed()) == options


def test_an_empty_list_of_tokens_is_kept_as_one() -> None:
    options = DecodingOptions.from_mapping({"suppress_tokens": ""})
    assert options.changed() == {"suppress_tokens": ""}
    assert DecodingOptions.from_mapping(options.changed()) == options


def test_every_option_of_whispers_command_is_taken_or_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = set(whisper_cli_defaults(monkeypatch)) - {"help", "audio"}
    commands_own = {"model", "language", "output_dir", "output_format"}
    assert theirs == commands_own | set(SPEC_BY_NAME) | set(NOT_TAKEN)


def test_every_option_has_a_spec() -> None:
    assert list(SPEC_BY_NAME) == [spec.name for spec in OPTION_SPECS]
    assert set(SPEC_BY_NAME) == set(DecodingOptions.__dataclass_fields__)
