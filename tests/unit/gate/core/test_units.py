from __future__ import annotations

import pytest

from gate.core.units import GIB, MIB, bytes_text, celsius_text, seconds_text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (1, "1 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (MIB - 1, "1024.0 KiB"),
        (MIB, "1 MiB"),
        (500 * MIB, "500 MiB"),
        (GIB - 1, "1024 MiB"),
        (GIB, "1.0 GiB"),
        (14 * GIB, "14.0 GiB"),
        (-3 * GIB, "-3.0 GiB"),
    ],
)
def test_a_size_reads_in_the_unit_that_fits(size_bytes: int, text: str) -> None:
    assert bytes_text(size_bytes) == text


def test_a_temperature_has_one_decimal() -> None:
    assert celsius_text(80.94) == "80.9 °C"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0.4, "0 s"),
        (119.4, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h 0 min"),
        (12_000, "3 h 20 min"),
    ],
)
def test_a_time_reads_as_people_say_it(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
