from __future__ import annotations

import pytest

from gate.core.blackbox import Look, Recording, Run
from gate.core.incidents.shutdown import Ending, look_line, unclean_end


def recording(*looks: Look, is_clean: bool = False, host: str = "mini", boot_id: str | None = "one") -> Recording:
    run = Run(host=host, boot_id=boot_id, pid=7, started_at=1000.0)
    return Recording(run=run, looks=looks, is_clean=is_clean)


def looks(count: int) -> list[Look]:
    return [Look(at=1000.0 + n, work="job 7 “Talk”, chunk 3 of 9", job_ref="job 7", lock="held") for n in range(count)]


@pytest.mark.parametrize(
    "previous", [None, recording(is_clean=True), recording(host="other")], ids=["first", "clean", "copied"]
)
def test_there_is_nothing_to_tell(previous: Recording | None) -> None:
    assert unclean_end(previous, host="mini", boot_id="two", now=2000.0) is None


@pytest.mark.parametrize(
    ("before", "now", "ending"),
    [
        ("one", "two", Ending.MACHINE_DOWN),
        ("one", "one", Ending.KILLED),
        (None, "two", Ending.UNKNOWN),
        ("one", None, Ending.UNKNOWN),
    ],
)
def test_the_boot_tells_a_machine_that_went_down_from_a_kill(before: str, now: str, ending: Ending) -> None:
    end = unclean_end(recording(boot_id=before), host="mini", boot_id=now, now=2000.0)
    assert end is not None
    assert (end.ending, end.last_at) == (ending, 1000.0)
    assert str(ending) in end.summary


def test_it_tells_the_last_minute_what_ran_and_the_lock() -> None:
    end = unclean_end(recording(*looks(100)), host="mini", boot_id="two", now=1399.0)
    assert end is not None
    assert (len(end.last_minute), end.last_minute[-1].at, end.job_ref) == (60, 1099.0, "job 7")
    assert "5 min" in end.summary
    assert "job 7 “Talk”, chunk 3 of 9 ran, and the lock was held" in end.summary


def test_a_reading_is_one_line() -> None:
    full = Look(at=1.0, celsius=81.25, available_bytes=3 * 1024**3, swap_used_bytes=0, load1=2.5, work="job 7")
    assert look_line(full, "12:00:01") == "12:00:01  81.2 °C  3.0 GiB available  swap 0 bytes  load 2.50  job 7"
    assert look_line(Look(at=1.0), "12:00:01") == "12:00:01  no temperature  memory not readable"
