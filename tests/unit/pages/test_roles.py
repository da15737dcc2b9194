"""The two groups that a first start makes: what each may, and that later starts leave them as people made them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from gate.services import incident_open_or_join
from j5a_admin.first_run import roles_make
from tests.support.markup import Element, elements, has_id
from tests.support.occurrences import occurrence
from tests.support.rows import in_status
from transcribe.models import QueueChange
from transcribe.schedule import Opening
from transcribe.services import hours_set
from transcribe.states import JobStatus

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _made() -> None:
    roles_make()


def member_of(name: str) -> Client:
    user = User.objects.create_user(f"one of {name}", is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    client = Client()
    client.force_login(user)
    return client


def may(name: str) -> set[str]:
    permissions = Group.objects.get(name=name).permissions.select_related("content_type")
    return {f"{permission.content_type.app_label}.{permission.codename}" for permission in permissions}


def all_of(*app_labels: str) -> set[str]:
    permissions = Permission.objects.filter(content_type__app_label__in=app_labels).select_related("content_type")
    return {f"{permission.content_type.app_label}.{permission.codename}" for permission in permissions}


def test_operators_see_everything_and_bring_jobs_in() -> None:
    views = {name for name in all_of("gate", "transcribe") if name.partition(".")[2].startswith("view_")}
    assert len(views) > 10
    assert may("Operators") == views | {"transcribe.add_job", "transcribe.change_job", "gate.handle_incident"}


def test_administrators_may_everything_with_the_machine_jobs_and_people() -> None:
    people = {f"auth.{act}_{kind}" for act in ("add", "change", "delete", "view") for kind in ("user", "group")}
    assert may("Administrators") == all_of("gate", "transcribe") | people
    assert "gate.operate_gate" in may("Administrators")


def test_an_operator_sees_the_machine_and_may_not_act_on_it() -> None:
    operator = member_of("Operators")
    watched = ("/", "/gate/", "/lock/", "/sensors/", "/incidents/", "/incidents/new/", "/doctor/", "/report/")
    for address in (*watched, "/jobs/", "/jobs/queue/"):
        assert operator.get(address).status_code == 200, address
    for address in ("/lock/clear/", "/lock/stop/", "/sensors/use/", "/hours/"):
        assert operator.post(address).status_code == 403, address


def test_operators_look_after_incidents_and_administrators_resolve_them() -> None:
    operator, administrator = member_of("Operators"), member_of("Administrators")
    address = f"/incidents/{incident_open_or_join(occurrence()).pk}"
    for act in ("note", "acknowledge"):
        assert operator.post(f"{address}/{act}/", {"text": "seen"}).status_code == 302, act
    assert operator.post(f"{address}/resolve/", {"text": "done"}).status_code == 403
    assert administrator.post(f"{address}/resolve/", {"text": "done"}).status_code == 302
    assert operator.post(f"{address}/reopen/", {"text": "again"}).status_code == 403
    assert administrator.post(f"{address}/reopen/", {"text": "again"}).status_code == 302


def test_an_operator_retries_a_job_and_may_not_delete_it() -> None:
    operator, job = member_of("Operators"), in_status(JobStatus.FAILED)
    assert operator.post(f"/jobs/{job.pk}/delete/").status_code == 403
    assert operator.post(f"/jobs/{job.pk}/retry/").status_code == 302
    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED


def test_an_operator_looks_after_the_queue_and_may_not_set_its_hours() -> None:
    operator, job = member_of("Operators"), in_status(JobStatus.QUEUED)
    hours_set([Opening(0, 0, 60)], "UTC", who="anna")
    for act, values in (("priority", {"priority": "1"}), ("now", {}), ("hold", {}), ("release", {})):
        assert operator.post(f"/jobs/{job.pk}/{act}/", values).status_code == 302, act
    job.refresh_from_db()
    assert (job.status, job.priority, job.ignores_hours) == (JobStatus.QUEUED, 1, True)
    for act in ("pause", "resume"):
        assert operator.post(f"/jobs/queue/{act}/", {"when": "after"}).status_code == 302
    assert QueueChange.objects.filter(name="pause").count() == 2
    assert not has_id(operator.get("/jobs/queue/"), "go-hours")


def test_an_administrator_may_act_on_the_machine_and_look_after_people() -> None:
    administrator = member_of("Administrators")
    for address in ("/lock/clear/", "/lock/stop/", "/hours/", "/admin/auth/user/", "/admin/auth/group/add/"):
        assert administrator.get(address).status_code == 200, address


def test_what_people_changed_stays() -> None:
    operators = Group.objects.get(name="Operators")
    operators.permissions.set(Permission.objects.filter(codename="view_job"))
    roles_make()
    assert may("Operators") == {"transcribe.view_job"}
    assert Group.objects.count() == 2


@pytest.mark.parametrize(
    ("permitted", "shown"), [(True, ["Gate", "Lock", "Sensors", "Incidents", "Doctor"]), (False, [])]
)
def test_the_menu_leads_to_the_machine_for_who_may_see_it(permitted: bool, shown: list[str]) -> None:
    client = member_of("Operators")
    if not permitted:
        Group.objects.get(name="Operators").permissions.set(Permission.objects.filter(codename="view_job"))
    entries = [e.words for e in elements(client.get("/"), "a") if _in_menu(e)]
    assert entries == ["Dashboard", "Jobs", *shown, "Records"]


@pytest.mark.parametrize("name", ["Gate", "Lock", "Sensors", "Incidents", "Doctor"])
def test_the_menu_marks_where_one_is(name: str) -> None:
    answer = member_of("Operators").get(f"/{name.lower()}/")
    marked = [e.words for e in elements(answer, "a", aria_current="page")]
    assert marked == [name]


def _in_menu(element: Element) -> bool:
    return any(parent.attributes.get("class") == "top-nav" for parent in element.parents)
