from __future__ import annotations

import pytest

from gate.core.errors import UnknownModelError
from gate.core.policy import GatePolicy
from gate.core.requirement import (
    MODEL_NAMES,
    Requirement,
    largest_fitting,
    requirement_for_checkpoint,
    requirement_for_model,
)
from gate.core.units import GIB


@pytest.mark.parametrize(
    ("model", "size_gib"),
    [("tiny.en", 1), ("base", 1), ("small", 2), ("medium", 5), ("turbo", 6), ("large-v3", 10), ("large", 10)],
)
def test_each_model_has_its_requirement(model: str, size_gib: int) -> None:
    assert requirement_for_model(model).bytes == size_gib * GIB


def test_every_requirement_names_its_source() -> None:
    assert len(MODEL_NAMES) == 14
    assert all(requirement_for_model(name).source for name in MODEL_NAMES)


def test_an_unknown_model_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match="large-v3"):
        requirement_for_model("giant")


def test_a_small_checkpoint_needs_the_floor() -> None:
    assert requirement_for_checkpoint("demo", 5_000_000).bytes == GIB


def test_a_checkpoint_of_medium_shape_needs_at_least_its_measured_peak() -> None:
    needed_bytes = requirement_for_checkpoint("mine", 1_500_000_000).bytes
    assert 4_780_000_000 <= needed_bytes <= 5.4e9


@pytest.mark.parametrize(("resident_gib", "left_gib"), [(-1, 10), (0, 10), (9, 1), (10, 0), (11, 0)])
def test_less_resident_never_falls_below_zero(resident_gib: int, left_gib: int) -> None:
    requirement = Requirement("large-v3", 10 * GIB, "test")
    assert requirement.less_resident(resident_gib * GIB).bytes == left_gib * GIB


@pytest.mark.parametrize(
    ("total_bytes", "model"),
    [
        (14 * GIB, "large-v3"),
        (14 * GIB - 1, "turbo"),
        (10 * GIB - 1, "medium"),
        (6 * GIB, "small"),
        (5 * GIB, "base"),
    ],
)
def test_the_largest_fitting_model_leaves_the_margin(total_bytes: int, model: str) -> None:
    fitting = largest_fitting(total_bytes, GatePolicy())
    assert fitting is not None
    assert fitting.model == model


def test_no_model_fits_below_the_margin_and_the_smallest() -> None:
    assert largest_fitting(5 * GIB - 1, GatePolicy()) is None
