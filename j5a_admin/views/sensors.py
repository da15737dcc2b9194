"""The sensors' page: every sensor with its judgement, the last half hour, and what administrators chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from gate.conf import gate_policy
from gate.core.checks import unread_temperature
from gate.core.policy import GatePolicy
from gate.core.readings import Judgement, SensorReading, Snapshot, TemperatureReading
from gate.core.units import celsius_text
from gate.models import SensorChoice, SensorSample, SensorUse
from gate.selectors import policy_changes_recent, samples_recent, sensor_choices
from gate.services import policy_in_force, policy_note, sensor_choose, snapshot_take
from j5a_admin.views.access import OPERATE_GATE, VIEW_GATE
from j5a_admin.views.dashboard import CHART_HEIGHT, CHART_WIDTH, chart_lines
from j5a_admin.views.gate import change_rows
from j5a_admin.views.history import history_context
from transcribe.views.access import may, staff_page

__all__ = [
    "SensorRow",
    "TemperatureChart",
    "consequence",
    "sensor_rows",
    "sensor_use",
    "sensors_live",
    "sensors_page",
    "temperature_chart",
]

CHART_MINUTES = 30
CHART_FLOOR_CELSIUS = 20.0  # a room: nothing that runs is colder for long
SHOWN_CHANGES = 15
USES: dict[str, SensorUse | None] = {"pinned": SensorUse.PINNED, "ignored": SensorUse.IGNORED, "none": None}


@dataclass(frozen=True, kw_only=True)
class SensorRow:
    """`reading` is None for a sensor that somebody chose and that is not there; `configured`: by the settings."""

    sensor: str
    reading: SensorReading | None
    choice: SensorChoice | None
    configured: str
    is_silent: bool = False  # while a sensor hangs none can be read

    @property
    def celsius(self) -> float | None:
        return None if self.reading is None else self.reading.celsius

    @property
    def judgement(self) -> str:
        if self.reading is None:
            return "not read now" if self.is_silent else "not there"
        return str(self.reading.judgement)

    @property
    def reason(self) -> str:
        """Empty where it would only say the judgement again."""
        return "" if self.reading is None or self.reading.reason == self.judgement else self.reading.reason


@dataclass(frozen=True, kw_only=True)
class TemperatureChart:
    """`lines`: x,y pairs for a polyline in a box of CHART_WIDTH × CHART_HEIGHT; the marks are heights in it."""

    minutes: int
    lines: tuple[str, ...]
    trip_y: str
    reset_y: str
    last_text: str
    least_text: str
    most_text: str


@require_safe
@staff_page(VIEW_GATE)
def sensors_page(request: HttpRequest) -> HttpResponseBase:
    changes = change_rows(policy_changes_recent(SHOWN_CHANGES, "pinned_sensor", "ignored_sensors"))
    return render(
        request, "gate/sensors_page.html", _context(request) | history_context(request) | {"changes": changes}
    )


@require_safe
@staff_page(VIEW_GATE)
def sensors_live(request: HttpRequest) -> HttpResponseBase:
    return render(request, "gate/_sensors_live.html", _context(request))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page(OPERATE_GATE)
def sensor_use(request: HttpRequest) -> HttpResponseBase:
    """GET asks, POST pins, ignores or takes back."""
    asked = request.POST if request.method == "POST" else request.GET
    temperature = snapshot_take().temperature
    rows = {row.sensor: row for row in _rows(temperature)}
    row, use = rows.get(asked.get("sensor", "")), asked.get("use", "")
    if use not in USES:
        raise Http404
    if row is None or (row.reading is None and use == "pinned"):
        missing = f"there is no sensor “{asked.get('sensor', '')}” here"
        why = "the sensors cannot be read now" if temperature.is_silent else missing
        messages.error(request, f"Nothing was changed: {why}.")
        return redirect("sensors")
    if request.method != "POST":
        asking = {"row": row, "use": use, "consequence": consequence(use, row, list(rows.values()))}
        return render(request, "gate/sensor_use.html", asking | {"section": "sensors"})
    policy_note()  # so that a limit changed in the settings is not put down to this person
    sensor_choose(row.sensor, USES[use], who=request.user.get_username())
    messages.success(request, f"{row.sensor} {_DONE[use]}")
    return redirect("sensors")


_DONE = {
    "pinned": "is pinned: it alone decides.",
    "ignored": "is ignored: it never decides.",
    "none": "is judged like every other sensor again.",
}


def consequence(use: str, row: SensorRow, rows: list[SensorRow]) -> str:
    """What will be different, as far as the readings of now can tell."""
    if use == "pinned":
        return _pin_consequence(row, rows)
    if use == "ignored":
        return _ignore_consequence(row, rows)
    return "It is judged like every other sensor again."


def _pin_consequence(row: SensorRow, rows: list[SensorRow]) -> str:
    said = "It alone decides then, whatever the others show; while it cannot be read, nothing starts."
    replaced = next((r.sensor for r in rows if r is not row and r.choice and r.choice.use == SensorUse.PINNED), None)
    if replaced is not None:
        said += f" It takes the place of {replaced}, which is pinned now."
    if row.reading is not None and row.reading.judgement is Judgement.NOT_CPU:
        said += " It is not known to measure the processor."
    if row.reading is not None and row.reading.judgement in (Judgement.IMPOSSIBLE, Judgement.FLATLINED):
        said += f" Right now it is not usable ({row.reading.reason}): nothing would start until the pin is taken back."
    return said


def _ignore_consequence(row: SensorRow, rows: list[SensorRow]) -> str:
    if row.reading is None or row.reading.judgement is not Judgement.DECIDES:
        return "It never decides then."
    others = [r.sensor for r in rows if r.reading is not None and r.reading.judgement is Judgement.USABLE]
    if not others:
        return "It decides now and no other is usable: nothing starts until this is taken back or another is pinned."
    return f"It decides now. Then one of these does: {', '.join(others)}."


def temperature_chart(samples: list[SensorSample], policy: GatePolicy) -> TemperatureChart | None:
    """None when there are fewer than two readings."""
    read = [(s.taken_at.timestamp(), s.celsius) for s in samples if s.celsius is not None]
    if len(read) < 2:
        return None
    values = [value for _, value in read]
    lowest, highest = min(CHART_FLOOR_CELSIUS, *values), max(policy.trip_celsius, *values)
    first, span_seconds = read[0][0], max(read[-1][0] - read[0][0], 1e-9)

    def height(celsius: float) -> str:  # the line keeps one unit from both edges
        return f"{1 + (CHART_HEIGHT - 2) * (highest - celsius) / (highest - lowest):.1f}"

    return TemperatureChart(
        minutes=max(1, round(span_seconds / 60)),
        lines=chart_lines(
            [(at, f"{CHART_WIDTH * (at - first) / span_seconds:.1f},{height(value)}") for at, value in read]
        ),
        trip_y=height(policy.trip_celsius),
        reset_y=height(policy.reset_celsius),
        last_text=celsius_text(values[-1]),
        least_text=celsius_text(min(values)),
        most_text=celsius_text(max(values)),
    )


def sensor_rows(
    reading: TemperatureReading, choices: Mapping[str, SensorChoice], configured: Mapping[str, str]
) -> list[SensorRow]:
    """The deciding one first, then by name; those that somebody named and that are not there come last."""
    ordered = sorted(reading.sensors, key=lambda sensor: (sensor != reading.deciding, sensor.id))
    named = dict.fromkeys([*sorted(choices), *configured])
    missing = [name for name in named if name not in {sensor.id for sensor in ordered}]
    pairs = [(sensor.id, sensor) for sensor in ordered] + [(name, None) for name in missing]
    return [
        SensorRow(
            sensor=name,
            reading=found,
            choice=choices.get(name),
            configured=configured.get(name, ""),
            is_silent=reading.is_silent,
        )
        for name, found in pairs
    ]


def _rows(reading: TemperatureReading) -> list[SensorRow]:
    base = gate_policy()
    configured = dict.fromkeys(base.ignored_sensors, "ignored by J5A_IGNORED_SENSORS")
    if base.pinned_sensor is not None:
        configured[base.pinned_sensor] = "pinned by J5A_PINNED_SENSOR"
    return sensor_rows(reading, sensor_choices(), configured)


def _context(request: HttpRequest) -> dict[str, object]:
    snapshot, policy = snapshot_take(), policy_in_force()
    return {
        "section": "sensors",
        "host": settings.HOST_ID,
        "snapshot": snapshot,
        "policy": policy,
        "tone": _tone(snapshot, policy),
        "missing": unread_temperature(snapshot.temperature),
        "rows": _rows(snapshot.temperature),
        "chart": temperature_chart(list(samples_recent(CHART_MINUTES)), policy),
        "may_act": may(request, OPERATE_GATE),
    }


def _tone(snapshot: Snapshot, policy: GatePolicy) -> str:
    deciding = snapshot.temperature.deciding
    if deciding is None or deciding.celsius is None:
        return "warn" if unread_temperature(snapshot.temperature) is None else "bad"
    if deciding.celsius >= policy.trip_celsius:
        return "bad"
    return "warn" if deciding.celsius >= policy.reset_celsius else "good"
