"""The name of a sensor from the path of its file, in folders laid out as Linux does."""

from __future__ import annotations

from pathlib import Path

from gate.core.hwmon import input_name


def laid_out(root: Path, **files: str) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text + "\n")


def test_chip_and_label(tmp_path: Path) -> None:
    laid_out(tmp_path, name="coretemp", temp1_label="Package id 0", temp1_input="45000")
    path = str(tmp_path / "temp1_input")
    assert input_name(path) == f"coretemp/Package id 0 ({path})"


def test_without_a_label_the_file_says_which(tmp_path: Path) -> None:
    laid_out(tmp_path, name="nouveau", fan1_input="0")
    path = str(tmp_path / "fan1_input")
    assert input_name(path) == f"nouveau/fan1 ({path})"


def test_an_old_layout_has_the_chip_s_name_one_folder_up(tmp_path: Path) -> None:
    laid_out(tmp_path, name="applesmc")
    laid_out(tmp_path / "device", temp3_input="50000", temp3_label="TC0P")
    path = str(tmp_path / "device" / "temp3_input")
    assert input_name(path) == f"applesmc/TC0P ({path})"


def test_a_thermal_zone(tmp_path: Path) -> None:
    zone = tmp_path / "thermal_zone0"
    laid_out(zone, type="x86_pkg_temp", temp="40000")
    assert input_name(str(zone / "temp")) == f"thermal/x86_pkg_temp ({zone / 'temp'})"
