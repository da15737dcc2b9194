"""The incidents' pages: the list, one incident, the acts, the post-mortem, the menu and the dashboard."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as panel_settings
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gate.core.incidents.kinds import IncidentKind
from gate.core.incidents.lifecycle import IncidentStatus
from gate.core.incidents.occurrence import Evidence
from gate.models import Incident, SensorSample
from gate.services import PURPOSE_START, gate_evaluate, incident_open_or_join
from tests.support.gate_people import gate_client
from tests.support.markup import element, elements, has_id, messages, words
from tests.support.occurrences import occurrence
from tests.support.rows import EVIL, queued
from transcribe.resolve import model_requirement

pytestmark = pytest.mark.django_db

LOOK = ("view_incident",)
HANDLE = (*LOOK, "handle_incident")
RESOLVE = (*HANDLE, "resolve_incident")


@pytest.fixture(autouse=True)
def _only_ours() -> None:
    Incident.objects.all().delete()


@pytest.fixture
def incident() -> Incident:
    return incident_open_or_join(occurrence(at=timezone.now().timestamp()))


def refreshed(incident: Incident) -> Incident:
    incident.refresh_from_db()
    return incident


def test_the_list_shows_open_ones_first_with_counts() -> None:
    now = timezone.now().timestamp()
    for at, subject in ((now - 50, "old and open"), (now, "new and resolved"), (now - 10, "new and open")):
        incident_open_or_join(occurrence(subject=subject, at=at))
    Incident.objects.filter(subject="new and resolved").update(
        status=IncidentStatus.RESOLVED, resolved_at=timezone.now()
    )
    answer = gate_client("anna", *LOOK).get("/incidents/")
    shown = [e.words for e in elements(answer, "a", class_="job-link")]
    assert shown == [f"Ended for heat: {name}" for name in ("new and open", "old and open", "new and resolved")]
    assert element(answer, id="filter-all").words == "All 3"
    assert element(answer, id="filter-open").words == "Open 2"
    assert not has_id(answer, "filter-acknowledged")


def test_the_list_filters_by_status_and_kind() -> None:
    incident_open_or_join(occurrence(subject="a"))
    incident_open_or_join(occurrence(subject="b", kind=IncidentKind.STALL))
    Incident.objects.filter(subject="b").update(status=IncidentStatus.ACKNOWLEDGED)
    client = gate_client("anna", *LOOK)

    def shown(query: str) -> list[str]:
        return [e.words for e in elements(client.get(f"/incidents/{query}"), "a", class_="job-link")]

    assert shown("?status=open") == ["Ended for heat: a"]
    assert shown("?kind=stall") == ["Machine stalled: b"]
    assert shown("?status=open&kind=stall") == []
    assert shown("?status=nothing&kind=nothing&page=99") == ["Ended for heat: a", "Machine stalled: b"]


def test_the_list_has_pages() -> None:
    for number in range(26):
        incident_open_or_join(occurrence(subject=str(number)))
    answer = gate_client("anna", *LOOK).get("/incidents/?status=open")
    assert len(elements(answer, "a", class_="job-link")) == 25
    assert element(answer, id="page-older")["href"] == "?status=open&kind=&page=2"


def test_one_incident_shows_everything_that_is_kept_of_it(incident: Incident) -> None:
    for seconds in range(0, 60, 5):
        SensorSample.objects.create(
            host=panel_settings.HOST_ID,
            taken_at=timezone.now() - timedelta(seconds=seconds),
            available_bytes=10**9 * (seconds + 1),
            celsius=40.0 + seconds,
        )
    gate_evaluate(model_requirement("demo"), purpose=PURPOSE_START, job_ref="7")
    answer = gate_client("anna", *LOOK).get(f"/incidents/{incident.pk}/")
    text = words(answer)
    assert "It was too hot and the process was ended." in text
    cells = [e.words for e in elements(answer, "td")]
    assert cells == ["Processor temperature", "92.0 °C", "below 90.0 °C", "2.2 %", "coretemp/Package id 0"]
    assert "Least 40.0 °C, mean 67.5 °C, most 95.0 °C. The dashed lines are 80.0 °C and 75.0 °C." in text
    assert len(elements(answer, "polyline")) == 2
    assert "What the gate said around it" in text and "demo for job 7." in text
    assert "last line" in text and "engine-7.log" in text
    assert incident.facts.advice in text


def test_while_the_machine_was_down_no_line_is_drawn(incident: Incident) -> None:
    for seconds in [*range(-300, 0, 5), *range(400, 700, 5)]:
        moment = incident.first_at + timedelta(seconds=seconds)
        SensorSample.objects.create(host=incident.host, taken_at=moment, celsius=50.0)
    answer = gate_client("anna", *LOOK).get(f"/incidents/{incident.pk}/")
    lines = [[float(pair.split(",")[0]) for pair in e["points"].split()] for e in elements(answer, "polyline")]
    assert len(lines) == 2
    # Of the 995 s that are shown 400 have no reading; a column is 15 s.
    assert 300 * (400 - 45) / 995 < lines[1][0] - lines[0][-1] < 300 * (400 + 45) / 995


def test_a_log_that_is_not_there_is_not_said_to_be_kept(incident: Incident, settings: Settings, tmp_path: Path) -> None:
    settings.LOG_DIR = tmp_path
    client = gate_client("anna", *LOOK)
    assert "engine-7.log, which is not here any more" in words(client.get(f"/incidents/{incident.pk}/"))
    (tmp_path / "engine-7.log").write_text("last line")
    assert "engine-7.log, which is kept." in words(client.get(f"/incidents/{incident.pk}/"))


def test_it_links_to_its_job_where_that_is_there_and_may_be_seen() -> None:
    job = queued()
    mine = incident_open_or_join(occurrence(job_ref=f"job {job.pk}"))
    both = gate_client("anna", *LOOK, "view_job").get(f"/incidents/{mine.pk}/")
    assert element(both, id="incident-job")["href"] == f"/jobs/{job.pk}/"
    assert not has_id(gate_client("bert", *LOOK).get(f"/incidents/{mine.pk}/"), "incident-job")


@pytest.mark.parametrize(
    ("permissions", "offered"),
    [
        (LOOK, set()),
        (HANDLE, {"acknowledge", "note-form"}),
        (RESOLVE, {"acknowledge", "note-form", "resolve-form"}),
    ],
)
def test_it_offers_what_one_may_do(incident: Incident, permissions: tuple[str, ...], offered: set[str]) -> None:
    answer = gate_client("anna", *permissions).get(f"/incidents/{incident.pk}/")
    everything = ("acknowledge", "note-form", "resolve-form", "reopen-form")
    assert {name for name in everything if has_id(answer, name)} == offered
    assert has_id(answer, "export")


@pytest.mark.parametrize(
    ("permissions", "act", "status"),
    [
        (LOOK, "acknowledge", 403),
        (LOOK, "note", 403),
        (HANDLE, "resolve", 403),
        (HANDLE, "reopen", 403),
        (HANDLE, "acknowledge", 302),
        (HANDLE, "note", 302),
        (RESOLVE, "resolve", 302),
    ],
)
def test_each_act_has_its_permission(incident: Incident, permissions: tuple[str, ...], act: str, status: int) -> None:
    answer = gate_client("anna", *permissions).post(f"/incidents/{incident.pk}/{act}/", {"text": "something"})
    assert answer.status_code == status
    assert (incident.events.count() == 1) is (status == 403)


def test_acts_need_post_and_the_token(incident: Incident) -> None:
    for act in ("acknowledge", "note", "resolve", "reopen"):
        assert gate_client(f"a {act}", *RESOLVE).get(f"/incidents/{incident.pk}/{act}/").status_code == 405
        strict = gate_client(f"b {act}", *RESOLVE, strict=True)
        assert strict.post(f"/incidents/{incident.pk}/{act}/", {"text": "x"}).status_code == 403
    assert incident.events.count() == 1


def test_its_way_from_open_to_resolved_and_back(incident: Incident) -> None:
    client = gate_client("anna", *RESOLVE)
    for act, text, status in (
        ("acknowledge", "", IncidentStatus.ACKNOWLEDGED),
        ("resolve", "Cleaned the fan.", IncidentStatus.RESOLVED),
        ("reopen", "Hot again.", IncidentStatus.OPEN),
    ):
        answer = client.post(f"/incidents/{incident.pk}/{act}/", {"text": text}, follow=True)
        assert refreshed(incident).status == status
        assert len(messages(answer)) == 1
    told = [(event.kind, event.who, event.text) for event in incident.events.all()]
    assert told[1:] == [
        ("acknowledged", "anna", ""),
        ("resolved", "anna", "Cleaned the fan."),
        ("reopened", "anna", "Hot again."),
    ]
    assert incident.recovery == "Cleaned the fan."


@pytest.mark.parametrize("act", ["note", "resolve"])
def test_an_act_without_words_changes_nothing(incident: Incident, act: str) -> None:
    answer = gate_client("anna", *RESOLVE).post(f"/incidents/{incident.pk}/{act}/", {"text": "  "}, follow=True)
    assert "Nothing was changed." in words(answer)
    assert refreshed(incident).status == IncidentStatus.OPEN
    assert incident.events.count() == 1


def test_who_comes_second_is_told(incident: Incident) -> None:
    client = gate_client("anna", *RESOLVE)
    client.post(f"/incidents/{incident.pk}/resolve/", {"text": "done"})
    answer = client.post(f"/incidents/{incident.pk}/resolve/", {"text": "done again"}, follow=True)
    assert "Somebody else was faster" in words(answer)
    assert refreshed(incident).recovery == "done"
    client.post(f"/incidents/{incident.pk}/resolve/", {"text": "done again"})  # a second click
    assert [e.text for e in incident.events.filter(kind="note")] == ["done again"]
    answer = client.post(f"/incidents/{incident.pk}/acknowledge/", follow=True)
    assert "It is not open any more." in words(answer)


def test_a_person_opens_one_and_the_same_words_join_it() -> None:
    client = gate_client("anna", *HANDLE)
    for _ in range(2):
        client.post("/incidents/new/", {"subject": "Strange noise", "text": "The fan rattles."})
    incident = Incident.objects.get()
    assert (incident.kind, incident.subject, incident.count) == ("reported", "Strange noise", 2)
    assert (incident.opened_by, [e.who for e in incident.events.all()]) == ("anna", ["anna", "anna"])


def test_what_the_browser_lets_through_is_not_refused_for_its_ends_of_lines(incident: Incident) -> None:
    """A browser counts the end of a line as one character and sends two."""
    text = "\r\n".join(["1234"] * 1000)
    assert len(text) > 5000 > len(text.replace("\r\n", "\n"))
    client = gate_client("anna", *HANDLE)
    client.post(f"/incidents/{incident.pk}/note/", {"text": text})
    assert incident.events.get(kind="note").text == text.replace("\r\n", "\n")
    client.post(f"/incidents/{incident.pk}/note/", {"text": "x" * 5001})
    assert incident.events.filter(kind="note").count() == 1


def test_a_report_without_words_is_asked_for_them() -> None:
    answer = gate_client("anna", *HANDLE).post("/incidents/new/", {"subject": "x", "text": ""})
    assert answer.status_code == 422
    assert "Write a sentence" in words(answer)
    assert not Incident.objects.exists()


def test_who_may_only_look_opens_none() -> None:
    client = gate_client("anna", *LOOK)
    assert client.get("/incidents/new/").status_code == 403
    assert client.post("/incidents/new/", {"subject": "x", "text": "y"}).status_code == 403
    assert not has_id(client.get("/incidents/"), "new-incident")


def test_what_is_not_there_is_not_found() -> None:
    client = gate_client("anna", *RESOLVE)
    assert client.get("/incidents/999/").status_code == 404
    assert client.post("/incidents/999/resolve/", {"text": "x"}).status_code == 404


def test_the_post_mortem_is_a_file_to_download(incident: Incident) -> None:
    answer = gate_client("anna", *LOOK).get(f"/incidents/{incident.pk}/post-mortem.md")
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    name = f"incident-{incident.pk}-thermal-end.md"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    text = answer.content.decode()
    assert text.startswith(f"# Incident {incident.pk}: Ended for heat: job 7\n")
    assert "| processor temperature | 92.0 °C | below 90.0 °C | 2.2 % | coretemp/Package id 0 |" in text
    assert "```text\nlast line\n```" in text


def test_what_others_wrote_is_no_markup_on_the_page_nor_in_the_file() -> None:
    evil = incident_open_or_join(occurrence(subject=EVIL, summary=EVIL, causes=(EVIL,), job_ref=EVIL))
    client = gate_client("anna", *LOOK)
    assert elements(client.get(f"/incidents/{evil.pk}/"), "b") == []
    text = client.get(f"/incidents/{evil.pk}/post-mortem.md").content.decode()
    assert "<script>" not in text.replace("\\<script\\>", "")


@pytest.fixture
def both(incident: Incident) -> Client:
    assert incident.status == IncidentStatus.OPEN
    return gate_client("anna", *LOOK, "view_job", "view_gatestate")


def test_the_menu_says_how_many_are_open(both: Client, incident: Incident) -> None:
    def entry() -> str:
        return next(e.words for e in elements(both.get("/lock/"), "a") if e.attributes["href"] == "/incidents/")

    assert entry() == "Incidents 1"
    Incident.objects.update(status=IncidentStatus.ACKNOWLEDGED)
    assert entry() == "Incidents"


def test_the_dashboard_has_a_line_when_one_is_open(both: Client, incident: Incident) -> None:
    for address in ("/", "/live/"):
        assert element(both.get(address), id="go-incidents").words == "1 incident open"
    Incident.objects.update(status=IncidentStatus.RESOLVED)
    assert not has_id(both.get("/"), "incidents-open")


def test_who_may_not_see_incidents_sees_none_of_it(incident: Incident) -> None:
    client = gate_client("anna", "view_job")
    answer = client.get("/")
    assert answer.status_code == 200
    assert not has_id(answer, "incidents-open")
    assert [e for e in elements(answer, "a") if e.attributes["href"].startswith("/incidents/")] == []
    assert client.get(f"/incidents/{incident.pk}/").status_code == 403


def test_the_post_mortem_says_the_usual_cause_and_names_the_logs_as_the_page_does() -> None:
    found = incident_open_or_join(
        occurrence(
            kind=IncidentKind.WORKER_LOST, causes=(), evidence=(Evidence(title="End", text="", file_name="e.log"),)
        )
    )
    text = gate_client("anna", *LOOK).get(f"/incidents/{found.pk}/post-mortem.md").content.decode()
    assert "- The process that ran a job ended in the middle of it: killed, or it crashed." in text
    assert "### End (e.log)\n\n```text\nIt is empty.\n```" in text
