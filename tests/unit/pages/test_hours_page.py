"""The hours' page: what an administrator writes, what is refused and why, and what is kept of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.support.markup import element, elements, messages, words
from tests.support.people import client_of
from transcribe.models import QueueChange
from transcribe.queue_rules import queue_rules
from transcribe.schedule import ALWAYS, Opening

pytestmark = pytest.mark.django_db

NIGHT = {"when": "hours", "zone": "Europe/Berlin", "day_0": "22:00-06:00", "day_6": "12-13, 22:00 – 6:00"}


def save(client: Client, values: dict[str, str]) -> Any:
    return client.post("/hours/", values, follow=True)


def test_the_hours_are_saved_shown_and_kept(administrator: Client) -> None:
    answer = save(administrator, NIGHT)
    assert answer.redirect_chain == [("/jobs/queue/", 302)]
    assert messages(answer)[0].startswith("The hours are saved. ")
    openings = (Opening(0, 1320, 360), Opening(6, 720, 780), Opening(6, 1320, 360))
    assert (queue_rules().schedule.openings, queue_rules().schedule.zone) == (openings, "Europe/Berlin")
    text = "Monday 22:00-06:00; Sunday 12:00-13:00, 22:00-06:00 (Europe/Berlin)"
    assert text in words(answer)
    change = QueueChange.objects.get()
    assert (change.who, change.before, change.after) == ("administrator", "at any time", text)
    form = administrator.get("/hours/")
    assert element(form, "input", name="day_6")["value"] == "12:00-13:00, 22:00-06:00"
    assert element(form, "option", value="Europe/Berlin", selected="").words == "Europe/Berlin"


def test_at_any_time_takes_them_back(administrator: Client) -> None:
    save(administrator, NIGHT)
    save(administrator, NIGHT | {"when": "always", "zone": ""})
    assert queue_rules().schedule.openings == ALWAYS.openings
    assert QueueChange.objects.count() == 2


def test_the_same_again_is_no_change(administrator: Client) -> None:
    save(administrator, NIGHT)
    assert messages(save(administrator, NIGHT)) == ["The hours are as they were."]
    assert QueueChange.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"day_0": "late"}, "“late” cannot be read: write hours like 22:00-06:00"),
        ({"day_2": "25:00-26:00"}, "“25:00-26:00” names a time that no clock shows"),
        ({"day_0": "", "day_6": ""}, "No day has hours. Write some, or let heavy work run at any time."),
        ({"zone": "Europe/Atlantis"}, "Europe/Atlantis is not one of the available choices"),
        ({"when": "sometimes"}, "sometimes is not one of the available choices"),
        ({"day_0": "1-2," * 100}, "at most 200 characters"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    administrator: Client, change: dict[str, str], said: str
) -> None:
    answer = administrator.post("/hours/", NIGHT | change)
    assert answer.status_code == 422
    assert any(said in e.words for e in elements(answer, "ul", class_="errorlist"))
    assert element(answer, "input", name="day_6").attributes.get("value", "") == (NIGHT | change)["day_6"]
    assert not QueueChange.objects.exists()


def test_who_may_not_act_on_the_machine_is_refused() -> None:
    client = client_of("someone", "view_job", "change_job", "add_job", "delete_job")
    assert client.get("/hours/").status_code == 403
    assert client.post("/hours/", NIGHT).status_code == 403
    assert not QueueChange.objects.exists()


def test_without_a_token_nothing_is_changed() -> None:
    from django.contrib.auth.models import User

    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    assert client.post("/hours/", NIGHT).status_code == 403
    assert not QueueChange.objects.exists()
