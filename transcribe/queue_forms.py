"""Forms of the queue: pausing it, and the weekly hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from transcribe.hours_text import EXAMPLE, WEEKDAYS, day_text, openings_of
from transcribe.models import QueueState
from transcribe.queue_rules import schedule_of
from transcribe.schedule import Opening

__all__ = ["HoursForm", "PauseForm"]

ALWAYS, HOURS = "always", "hours"


class PauseForm(forms.Form):
    AFTER, NOW = "after", "now"

    why = forms.CharField(
        label="Reason", max_length=200, required=False, help_text="Optional; everybody sees it, and it is kept."
    )
    when = forms.ChoiceField(choices=[(AFTER, "After the running job"), (NOW, "Now")], widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, label_suffix="")


class HoursForm(forms.Form):
    """The hours of each weekday as text. After `is_valid()`: `openings`, and the cleaned `zone`."""

    when = forms.ChoiceField(
        label="Heavy work may run", choices=[(ALWAYS, "At any time"), (HOURS, "Only in the hours below")]
    )
    zone = forms.ChoiceField(
        label="Time zone", required=False, help_text="Its wall clock decides, with summer and winter time."
    )

    def __init__(self, state: QueueState, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, label_suffix="", initial=_initial(state))
        self.openings: tuple[Opening, ...] = ()
        zone = self.fields["zone"]
        assert isinstance(zone, forms.ChoiceField)  # noqa: S101 - declared above
        named = sorted({*available_timezones(), *filter(None, [state.zone])})
        zone.choices = [("", f"The panel’s ({settings.TIME_ZONE})"), *((name, name) for name in named)]
        for weekday, name in enumerate(WEEKDAYS):
            self.fields[_day(weekday)] = forms.CharField(label=name, max_length=200, required=False)
        self.fields[_day(0)].help_text = f"Such as {EXAMPLE}, several separated by commas. Empty: no hours begin then."

    def day_fields(self) -> list[forms.BoundField]:
        return [self[_day(weekday)] for weekday in range(7)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("when") != HOURS:
            return cleaned
        for weekday in range(7):
            try:
                self.openings += openings_of(weekday, cleaned.get(_day(weekday), ""))
            except ValueError as error:
                self.add_error(_day(weekday), ValidationError(str(error)))
        if not self.openings and not self.errors:
            self.add_error(_day(0), ValidationError("No day has hours. Write some, or let heavy work run at any time."))
        return cleaned


def _day(weekday: int) -> str:
    return f"day_{weekday}"


def _initial(state: QueueState) -> dict[str, Any]:
    openings = schedule_of(state).openings
    days = {_day(weekday): day_text(openings, weekday) for weekday in range(7)}
    return {"when": HOURS if openings else ALWAYS, "zone": state.zone, **days}
