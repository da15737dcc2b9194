"""The sensors' page: every sensor with its judgement, the last half hour, and what administrators choose."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import psutil
import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from psutil._ntuples import shwtemp
from pytest_django import Settings

from gate.core.policy import GatePolicy
from gate.models import PolicyChange, SensorChoice, SensorSample, SensorUse
from gate.services import policy_in_force, sensor_choose
from j5a_admin.views.dashboard import CHART_HEIGHT, CHART_WIDTH
from j5a_admin.views.sensors import temperature_chart
from tests.support.fake_machine import FakeMachine
from tests.support.gate_people import ACT, LOOK, gate_client
from tests.support.markup import element, elements, has_id, messages, words
from tests.support.rows import EVIL

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mac")]

PACKAGE, CORE, TCPG = "coretemp/Package id 0", "coretemp/Core 0", "applesmc/TCPG"
ACTS = ("pin-", "ignore-", "unset-")


@pytest.fixture
def mac(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sensors of the 2012 Mac Mini, with the one that always shows 103 °C."""

    def sensors() -> dict[str, list[shwtemp]]:
        if machine.celsius is None:
            return {}
        package = shwtemp("Package id 0", machine.celsius, 87.0, 105.0)
        cores = [package, shwtemp("Core 0", machine.celsius - 2, 87.0, 105.0)]
        odd = [shwtemp("TCPG", 103.0, None, None), shwtemp("TC0P", 41.0, None, None), shwtemp("Th1H", 0.0, None, None)]
        return {"coretemp": cores, "applesmc": odd}

    monkeypatch.setattr(psutil, "sensors_temperatures", sensors)


@pytest.fixture
def viewer() -> Client:
    return gate_client("viewer", *LOOK)


@pytest.fixture
def actor() -> Client:
    return gate_client("anna", *ACT)


def rows(answer: Any) -> list[str]:
    """Each sensor with all that is said about it, without the buttons."""
    return [e.words.partition(" Pin …")[0].partition(" Ignore …")[0] for e in elements(answer, "li", class_="sensor")]


def row(answer: Any, sensor: str) -> str:
    (only,) = [words_ for words_ in rows(answer) if words_.startswith(f"{sensor} ")]
    return only


def choose(client: Client, sensor: str, use: str) -> Any:
    return client.post("/sensors/use/", {"sensor": sensor, "use": use}, follow=True)


def changes() -> list[tuple[str, str, str, str]]:
    return list(PolicyChange.objects.order_by("pk").values_list("who", "name", "before", "after"))


# ── what is there ────────────────────────────────────────────────────────────────────────────────
def test_every_sensor_has_its_value_and_its_judgement_and_the_deciding_one_is_first(viewer: Client) -> None:
    assert rows(viewer.get("/sensors/")) == [
        "coretemp/Package id 0 45.0 °C decides coretemp package, decides",
        "applesmc/TC0P 41.0 °C usable Apple processor proximity",
        "applesmc/TCPG 103.0 °C not a processor sensor",
        "applesmc/Th1H 0.0 °C impossible value 0.0 °C is not a temperature of a running machine",
        "coretemp/Core 0 43.0 °C usable coretemp core",
    ]


def test_the_deciding_value_is_told_with_the_limits(viewer: Client) -> None:
    answer = viewer.get("/sensors/")
    assert words(answer, "state-title") == "45.0 °C"
    assert f"{PACKAGE} decides. The gate blocks from 80.0 °C, and opens again below 75.0 °C." in words(answer)


@pytest.mark.parametrize(("celsius", "tone"), [(74.9, "good"), (75.0, "warn"), (79.9, "warn"), (80.0, "bad")])
def test_the_colour_follows_the_limits(
    viewer: Client,
    machine: FakeMachine,
    celsius: float,
    tone: str,
) -> None:
    machine.celsius = celsius
    assert len(elements(viewer.get("/sensors/"), "section", class_=tone)) == 1


def test_a_machine_without_a_sensor_is_told_what_may_bring_one(viewer: Client, machine: FakeMachine) -> None:
    machine.celsius = None
    answer = viewer.get("/sensors/")
    assert words(answer, "state-title") == "No temperature"
    assert "it runs without a heat check" in words(answer)
    assert "modprobe coretemp" in words(answer)
    assert "This machine shows no temperature sensor." in words(answer)


def test_sensors_that_were_there_and_are_gone_are_told(viewer: Client, machine: FakeMachine) -> None:
    viewer.get("/sensors/")
    machine.celsius = None
    answer = viewer.get("/sensors/")
    assert "A sensor was seen on this machine before, and none answers now." in words(answer)
    assert len(elements(answer, "section", class_="bad")) == 1


# ── the chart ────────────────────────────────────────────────────────────────────────────────────
def sample(minutes_ago: float, celsius: float | None, host: str = "mini") -> SensorSample:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    return SensorSample.objects.create(host=host, taken_at=at, celsius=celsius, sensor=PACKAGE)


def test_the_last_half_hour_is_drawn_and_told_in_words(viewer: Client) -> None:
    for minutes_ago, celsius in ((31, 99.0), (20, 50.0), (10, 70.0), (5, None), (0, 60.0)):
        sample(minutes_ago, celsius)
    sample(1, 90.0, host="elsewhere")
    answer = viewer.get("/sensors/live/")
    assert "The last 20 min: now 60.0 °C, least 50.0 °C, most 70.0 °C." in words(answer)
    # ten minutes without a reading are no line
    assert [len(line["points"].split()) for line in elements(answer, "polyline")] == [1, 1, 1]
    assert element(answer, "svg", class_="spark")["aria-label"] == "Temperature, least 50.0 °C, most 70.0 °C"


def test_without_two_readings_there_is_no_chart(viewer: Client) -> None:
    sample(1, 50.0)
    sample(0, None)
    assert elements(viewer.get("/sensors/live/"), "polyline") == []


@pytest.mark.parametrize(
    ("celsius", "points", "trip_y", "reset_y"),
    [
        ((20.0, 80.0), "0.0,59.0 300.0,1.0", "1.0", "5.8"),
        ((50.0, 50.0), "0.0,30.0 300.0,30.0", "1.0", "5.8"),
        ((20.0, 100.0), "0.0,59.0 300.0,1.0", "15.5", "19.1"),
        ((-20.0, 80.0), "0.0,59.0 300.0,1.0", "1.0", "3.9"),
    ],
)
def test_the_line_and_the_limits_share_one_scale(
    celsius: tuple[float, float], points: str, trip_y: str, reset_y: str
) -> None:
    chart = temperature_chart([sample(1, celsius[0]), sample(0, celsius[1])], GatePolicy())
    assert chart is not None
    assert (" ".join(chart.lines), chart.trip_y, chart.reset_y) == (points, trip_y, reset_y)


def test_every_point_stays_in_the_box() -> None:
    chart = temperature_chart([sample(30 - at, (at * 37) % 130 - 5.0) for at in range(30)], GatePolicy())
    assert chart is not None
    pairs = [tuple(float(part) for part in point.split(",")) for point in " ".join(chart.lines).split()]
    assert all(0 <= x <= CHART_WIDTH and 0 <= y <= CHART_HEIGHT for x, y in pairs)


# ── choosing ─────────────────────────────────────────────────────────────────────────────────────
def test_a_pinned_sensor_alone_decides_and_who_pinned_it_is_kept(actor: Client) -> None:
    answer = choose(actor, CORE, "pinned")
    assert answer.redirect_chain == [("/sensors/", 302)]
    assert messages(answer) == [f"{CORE} is pinned: it alone decides."]
    assert changes() == [("anna", "pinned_sensor", "", CORE)]
    assert policy_in_force().pinned_sensor == CORE
    assert words(answer, "state-title") == "43.0 °C"
    assert row(answer, CORE).startswith(f"{CORE} pinned by anna, ")


def test_an_ignored_sensor_never_decides_and_who_ignored_it_is_kept(actor: Client) -> None:
    answer = choose(actor, PACKAGE, "ignored")
    assert messages(answer) == [f"{PACKAGE} is ignored: it never decides."]
    assert changes() == [("anna", "ignored_sensors", "", PACKAGE)]
    assert words(answer, "state-title") == "43.0 °C"
    assert "45.0 °C ignored by the operator" in row(answer, PACKAGE)


@pytest.mark.parametrize(("use", "name"), [("pinned", "pinned_sensor"), ("ignored", "ignored_sensors")])
def test_what_was_chosen_is_taken_back_and_who_did_is_kept(use: str, name: str) -> None:
    choose(gate_client("anna", *ACT), CORE, use)
    answer = choose(gate_client("ben", *ACT), CORE, "none")
    assert messages(answer) == [f"{CORE} is judged like every other sensor again."]
    assert changes() == [("anna", name, "", CORE), ("ben", name, CORE, "")]
    assert not SensorChoice.objects.exists()
    assert row(answer, CORE) == f"{CORE} 43.0 °C usable coretemp core"


def test_a_limit_that_was_changed_in_the_settings_is_not_put_down_to_the_person(
    actor: Client, settings: Settings
) -> None:
    choose(actor, CORE, "pinned")
    settings.GATE_TRIP_CELSIUS = 84.0
    choose(actor, CORE, "none")
    assert [change[:2] for change in changes()] == [
        ("anna", "pinned_sensor"),
        ("environment", "trip_celsius"),
        ("anna", "pinned_sensor"),
    ]


def test_the_changes_are_listed_below(actor: Client, viewer: Client, settings: Settings) -> None:
    assert "Nobody has pinned or ignored a sensor yet." in words(viewer.get("/sensors/"))
    choose(actor, TCPG, "ignored")
    settings.GATE_TRIP_CELSIUS = 84.0
    choose(actor, CORE, "pinned")
    said = [e.words for e in elements(viewer.get("/sensors/"), "li") if "→" in e.words]
    assert len(said) == 2
    assert said[0].endswith(f"Pinned sensor: none → {CORE} by anna")
    assert said[1].endswith(f"Ignored sensors: none → {TCPG} by anna")


@pytest.mark.parametrize("use", ["pinned", "ignored", "none"])
def test_the_question_changes_nothing(actor: Client, use: str) -> None:
    for ask in (actor.get, actor.head):
        assert ask("/sensors/use/", {"sensor": CORE, "use": use}).status_code == 200
    assert (changes(), SensorChoice.objects.exists()) == ([], False)


def test_the_links_lead_to_the_question_and_its_form_acts(actor: Client) -> None:
    link = element(actor.get("/sensors/"), "a", aria_label=f"Pin {PACKAGE}")
    answer = actor.get(link["href"])
    assert element(answer, "h1").words == f"Pin “{PACKAGE}”?"
    form = {e["name"]: e["value"] for e in elements(answer, "input", type="hidden") if e["name"] in ("sensor", "use")}
    assert form == {"sensor": PACKAGE, "use": "pinned"}
    assert messages(actor.post("/sensors/use/", form, follow=True)) == [f"{PACKAGE} is pinned: it alone decides."]


@pytest.mark.parametrize(
    ("sensor", "use", "says"),
    [
        (CORE, "pinned", "It alone decides then"),
        (TCPG, "pinned", "It is not known to measure the processor."),
        ("applesmc/Th1H", "pinned", "Right now it is not usable"),
        (TCPG, "ignored", "It never decides then."),
        (PACKAGE, "ignored", "It decides now. Then one of these does: applesmc/TC0P, coretemp/Core 0."),
        (CORE, "none", "It is judged like every other sensor again."),
    ],
)
def test_the_question_says_what_will_be_different(actor: Client, sensor: str, use: str, says: str) -> None:
    assert says in words(actor.get("/sensors/use/", {"sensor": sensor, "use": use}))


def test_ignoring_the_last_usable_one_is_told_to_stop_everything(actor: Client) -> None:
    for sensor in (CORE, "applesmc/TC0P"):
        choose(actor, sensor, "ignored")
    answer = actor.get("/sensors/use/", {"sensor": PACKAGE, "use": "ignored"})
    assert "no other is usable: nothing starts until this is taken back" in words(answer)


def test_a_pin_that_replaces_another_says_so(actor: Client) -> None:
    choose(actor, CORE, "pinned")
    answer = actor.get("/sensors/use/", {"sensor": PACKAGE, "use": "pinned"})
    assert f"It takes the place of {CORE}, which is pinned now." in words(answer)


def test_a_chosen_sensor_that_is_gone_can_still_be_taken_back(actor: Client) -> None:
    sensor_choose("k10temp/Tctl", SensorUse.PINNED, who="ben")
    answer = actor.get("/sensors/")
    assert row(answer, "k10temp/Tctl").endswith("– not there")
    assert "The pinned sensor k10temp/Tctl is not there." in words(answer)
    assert messages(choose(actor, "k10temp/Tctl", "none")) == ["k10temp/Tctl is judged like every other sensor again."]


def test_what_the_settings_say_about_a_sensor_is_shown(viewer: Client, settings: Settings) -> None:
    settings.GATE_PINNED_SENSOR = CORE
    settings.GATE_IGNORED_SENSORS = (TCPG,)
    answer = viewer.get("/sensors/")
    assert "pinned by J5A_PINNED_SENSOR" in row(answer, CORE)
    assert "ignored by J5A_IGNORED_SENSORS" in row(answer, TCPG)


@pytest.mark.parametrize(("sensor", "use"), [("nowhere/1", "pinned"), ("", "ignored"), (EVIL, "none")])
def test_a_sensor_that_is_not_there_is_not_chosen(actor: Client, sensor: str, use: str) -> None:
    answer = choose(actor, sensor, use)
    assert messages(answer) == [f"Nothing was changed: there is no sensor “{' '.join(sensor.split())}” here."]
    assert EVIL not in answer.content.decode()
    assert (changes(), SensorChoice.objects.exists()) == ([], False)


def test_a_sensor_that_is_gone_cannot_be_pinned(actor: Client) -> None:
    sensor_choose("k10temp/Tctl", SensorUse.IGNORED, who="ben")
    assert messages(choose(actor, "k10temp/Tctl", "pinned"))[0].startswith("Nothing was changed")
    assert SensorChoice.objects.get().use == SensorUse.IGNORED


@pytest.mark.parametrize("use", ["", "free", "PINNED"])
def test_another_use_is_at_no_address(actor: Client, use: str) -> None:
    assert actor.get("/sensors/use/", {"sensor": CORE, "use": use}).status_code == 404
    assert actor.post("/sensors/use/", {"sensor": CORE, "use": use}).status_code == 404


# ── who may ──────────────────────────────────────────────────────────────────────────────────────
def test_who_may_only_look_sees_all_and_is_offered_nothing(viewer: Client) -> None:
    answer = viewer.get("/sensors/")
    assert len(rows(answer)) == 5
    assert [e for e in elements(answer, "a") if e.attributes.get("id", "").startswith(ACTS)] == []


def test_who_may_only_look_may_neither_ask_nor_choose(viewer: Client) -> None:
    assert viewer.get("/sensors/use/", {"sensor": CORE, "use": "pinned"}).status_code == 403
    assert viewer.post("/sensors/use/", {"sensor": CORE, "use": "pinned"}).status_code == 403
    assert (changes(), SensorChoice.objects.exists()) == ([], False)


def test_a_choice_without_a_token_is_refused() -> None:
    answer = gate_client("ben", *ACT, strict=True).post("/sensors/use/", {"sensor": CORE, "use": "pinned"})
    assert answer.status_code == 403
    assert not SensorChoice.objects.exists()


# ── the live part ────────────────────────────────────────────────────────────────────────────────
def test_the_live_part_is_the_same_asks_again_and_has_no_form(actor: Client) -> None:
    whole, part = actor.get("/sensors/"), actor.get("/sensors/live/")
    assert words(part, "sensors-live") == words(whole, "sensors-live")
    assert element(part, id="sensors-live")["hx-get"] == "/sensors/live/"
    assert not has_id(part, "content")
    assert elements(part, "form") == []


@pytest.mark.parametrize("address", ["/sensors/", "/sensors/live/"])
def test_the_pages_answer_to_no_post(actor: Client, address: str) -> None:
    assert actor.post(address).status_code == 405


def test_it_is_there_within_a_third_of_a_second(viewer: Client) -> None:
    now = timezone.now()
    SensorSample.objects.bulk_create(
        SensorSample(host=django_settings.HOST_ID, taken_at=now - timedelta(seconds=5 * at), celsius=50.0)
        for at in range(360)
    )
    viewer.get("/sensors/")
    begun = time.process_time()
    viewer.get("/sensors/")
    assert time.process_time() - begun < 0.3
