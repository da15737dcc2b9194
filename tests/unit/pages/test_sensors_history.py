"""The machine's history on the sensors' page: the range that was chosen, as band and line, told in words."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gate.core.history import Measure, Spread, Summary
from gate.core.policy import GatePolicy
from gate.models import SensorSample
from gate.services import history_summarise
from j5a_admin.views.dashboard import CHART_HEIGHT, CHART_WIDTH
from j5a_admin.views.history import RANGES, Curve, HistoryRange, curve_of
from tests.support.gate_people import LOOK, gate_client
from tests.support.markup import element, elements, words

pytestmark = pytest.mark.django_db
NAMES = [one.name for one in RANGES]
HOUR, DAY, MONTH, YEAR = RANGES


@pytest.fixture(autouse=True)
def _mini(settings: Settings) -> None:
    settings.HOST_ID = "mini"


@pytest.fixture
def viewer() -> Client:
    return gate_client("viewer", *LOOK)


def sample(ago: timedelta, celsius: float, host: str = "mini") -> None:
    SensorSample.objects.create(host=host, taken_at=timezone.now() - ago, celsius=celsius, load1=0.5)


def history(client: Client, name: str) -> str:
    return words(client.get("/sensors/", {"range": name}), "sensors-history")


@pytest.mark.parametrize("name", NAMES)
def test_each_range_tells_what_was_least_and_most_in_it(viewer: Client, name: str) -> None:
    for shown in RANGES:  # in each range something that the shorter ones do not reach
        sample(timedelta(seconds=shown.seconds * 0.9), 40.0 + RANGES.index(shown))
    sample(timedelta(seconds=30), 60.0)
    sample(timedelta(days=380), 99.0)
    sample(timedelta(seconds=20), 99.0, host="elsewhere")
    history_summarise()
    told = history(viewer, name)
    assert "Least 40.0 °C" in told
    assert "most 60.0 °C" in told
    means = {"hour": 50.0, "day": 47.0, "month": 45.8, "year": 45.2}
    assert f"mean {means[name]} °C" in told


def test_the_page_shows_an_hour_at_first_and_whatever_else_is_asked_for(viewer: Client) -> None:
    for asked in ("", "century"):
        answer = viewer.get("/sensors/", {"range": asked} if asked else {})
        assert element(answer, "a", aria_current="true").words == "Hour"


def test_the_range_that_is_shown_is_marked_and_asked_for_again(viewer: Client) -> None:
    answer = viewer.get("/sensors/", {"range": "year"})
    assert element(answer, "a", aria_current="true").words == "Year"
    section = element(answer, id="sensors-history")
    assert section["hx-get"] == "/sensors/history/?range=year"
    part = viewer.get(section["hx-get"])
    assert element(part, id="sensors-history")["hx-get"] == section["hx-get"]


def test_a_time_without_samples_says_so(viewer: Client) -> None:
    assert "Nothing was recorded in this time." in history(viewer, "day")


def test_what_this_machine_does_not_have_has_no_curve(viewer: Client) -> None:
    sample(timedelta(seconds=10), 45.0)
    titles = [e.words for e in elements(viewer.get("/sensors/history/"), "h3")]
    assert titles == ["Temperature", "Load"]


def test_it_is_for_those_who_may_look() -> None:
    assert Client().get("/sensors/history/").status_code == 302
    assert gate_client("nobody").get("/sensors/history/").status_code == 403
    assert gate_client("poster", *LOOK).post("/sensors/history/").status_code == 405


def test_a_whole_year_comes_as_few_points(viewer: Client) -> None:
    now = int(time.time()) // 600 * 600
    columns = [f"{name}_{part}" for name in Measure for part in ("least", "mean", "most", "count")]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gate_samplesummary (host, width_seconds, begins_at_seconds, sample_count,"
            f" {', '.join(columns)})"
            " WITH RECURSIVE ago(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM ago WHERE n < 52559)"
            f" SELECT 'mini', 600, {now} - 600 * n, 20{', 20' * len(columns)} FROM ago"
        )
    answer = viewer.get("/sensors/history/", {"range": "year"})
    lines = elements(answer, "polyline")
    assert len(lines) == len(Measure)
    assert {len(line["points"].split()) for line in lines} <= {245, 246}


# ── drawing ──────────────────────────────────────────────────────────────────────────────────────
NOW = 1_767_268_800.0


def columns(*entries: tuple[float, float, float, float]) -> list[Summary]:
    """Seconds before now, least, mean, most."""
    return [
        Summary(
            width_seconds=15,
            begins_at_seconds=int(NOW - ago),
            sample_count=3,
            spreads={Measure.CELSIUS: Spread(least=least, mean=mean, most=most, count=3)},
        )
        for ago, least, mean, most in entries
    ]


def drawn(*entries: tuple[float, float, float, float], shown: HistoryRange = HOUR) -> Curve:
    curve = curve_of(Measure.CELSIUS, columns(*entries), shown, NOW, GatePolicy())
    assert curve is not None
    return curve


def test_the_line_is_the_mean_and_the_band_reaches_from_least_to_most() -> None:
    (stretch,) = drawn((1815, 20.0, 50.0, 80.0), (1800, 50.0, 50.0, 50.0)).stretches
    assert stretch.line == "149.4,30.0 150.6,30.0 151.2,30.0"
    assert stretch.band == "149.4,1.0 150.6,30.0 151.2,30.0 151.2,30.0 150.6,30.0 149.4,59.0"


def test_the_limits_are_drawn_only_for_the_temperature() -> None:
    assert drawn((60, 40.0, 45.0, 50.0)).marks == (("bad", "1.0"), ("warn", "5.8"))


def test_where_nothing_was_read_the_line_is_broken() -> None:
    assert len(drawn((3000, 40, 40, 40), (2910, 40, 40, 40)).stretches) == 1
    assert len(drawn((3000, 40, 40, 40), (2909, 40, 40, 40)).stretches) == 2


def test_a_single_reading_can_be_seen() -> None:
    (stretch,) = drawn((1800, 45.0, 45.0, 45.0)).stretches
    first, last = (float(pair.split(",")[0]) for pair in stretch.line.split())
    assert last > first


@pytest.mark.parametrize("shown", RANGES, ids=NAMES)
def test_every_point_stays_in_the_box(shown: HistoryRange) -> None:
    entries = [(shown.seconds * part / 50, -5.0, 40.0, 120.0) for part in range(51, -1, -1)]
    for stretch in drawn(*entries, shown=shown).stretches:
        for pair in f"{stretch.band} {stretch.line}".split():
            x, y = (float(part) for part in pair.split(","))
            assert 0 <= x <= CHART_WIDTH
            assert 0 <= y <= CHART_HEIGHT


def test_nothing_read_is_no_curve() -> None:
    assert curve_of(Measure.FAN_RPM, columns((60, 1, 2, 3)), HOUR, NOW, GatePolicy()) is None
