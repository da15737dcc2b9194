"""The name of a sensor from the path of its file, in folders laid out as Linux does."""

from __future__ import annotations

from pathlib import Path

from gate.core.hwmon import chip_and_file


def laid_out(root: Path, **files: str) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text + "\n")


def test_the_chip_s_name_and_which_of_its_inputs(tmp_path: Path) -> None:
    laid_out(tmp_path, name="coretemp", temp1_label="Package id 0", temp1_input="45000")
    path = str(tmp_path / "temp1_input")
    assert chip_and_file(path) == "coretemp/temp1", "the label may be what hangs"


def test_a_fan_whose_chip_s_name_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "name").write_bytes(b"fan\xff\n")
    assert chip_and_file(str(tmp_path / "fan1_input")) == "fan\ufffd/fan1"


def test_a_thermal_zone(tmp_path: Path) -> None:
    zone = tmp_path / "thermal_zone0"
    laid_out(zone, type="x86_pkg_temp", temp="40000")
    assert chip_and_file(str(zone / "temp")) == "thermal/x86_pkg_temp"
