"""For which model `gate run` asks: the larger of what was said and what the command is seen to load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gate.core.asked_model import LARGEST, AskedModel
from gate.core.audit.launches import command_models
from gate.core.requirement import Requirement

__all__ = ["run_requirement"]


def run_requirement(
    command: Sequence[str],
    said: str | None,
    *,
    requirement_of: Callable[[str], Requirement],
    file_requirement: Callable[[str], Requirement | None],
    say: Callable[[str], None],
) -> Requirement:
    """`said`: the model that was named to the gate, if one was. Tells when the command's own counts for more.

    `file_requirement`: of a model by its file, for one whose name says nothing; None when it is no such file.
    """
    models = command_models(command)
    found = [_loads(model, requirement_of, file_requirement) for model in models if model is not None]
    largest = max(found, key=lambda loads: loads.requirement.bytes, default=None)
    if said is None:
        if largest is None or None in models:  # nothing says which
            return requirement_of(LARGEST)
        if largest.is_guess:
            say(f"the command asks for {largest.phrase}.")
        return largest.requirement
    named = requirement_of(said)
    if largest is None or largest.requirement.bytes <= named.bytes:
        return named
    say(f"the command asks for {largest.phrase}, which counts: {said} needs less.")
    return largest.requirement


@dataclass(frozen=True, kw_only=True)
class _Loads:
    requirement: Requirement
    phrase: str
    is_guess: bool = False


def _loads(
    model: AskedModel, requirement_of: Callable[[str], Requirement], by_file: Callable[[str], Requirement | None]
) -> _Loads:
    if not model.is_known:
        by_size = by_file(model.text)
        if by_size is not None:
            return _Loads(requirement=by_size, phrase=model.text)
    return _Loads(requirement=requirement_of(model.name), phrase=model.phrase, is_guess=not model.is_known)
