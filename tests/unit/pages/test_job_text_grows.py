"""The text of a long job: in pages, and a poll sends only the segments that are new."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.support.markup import element, elements, has_id, inside, words
from tests.support.rows import add_text, running
from transcribe.models import Job, Segment
from transcribe.selectors.text import SEGMENTS_PER_PAGE

pytestmark = pytest.mark.django_db


def asked(client: Client, job: Job, text: str = "") -> str:
    return element(client.get(f"/jobs/{job.pk}/{text}"), id="job-live")["hx-get"]


def lines(answer: Any) -> list[str]:
    return [e.words.partition(" ")[2] for e in inside(answer, "segments", "li")]


def sent(answer: Any) -> list[str]:
    return [e.words.partition(" ")[2] for e in elements(answer, "li") if "data-start" in e.attributes]


def test_only_new_segments_are_sent_and_put_behind_the_others(operator: Client) -> None:
    job = running()
    add_text(job, "one", "two")
    address = asked(operator, job)
    add_text(job, "three")
    answer = operator.get(address)
    assert sent(answer) == ["three"]
    assert element(answer, hx_swap_oob="beforeend:#segments")
    assert not has_id(answer, "job-text")
    assert words(answer, "text-so-far").startswith("This is the text so far")
    add_text(job, "four")
    assert sent(operator.get(element(answer, id="job-live")["hx-get"])) == ["four"]


def test_the_text_is_sent_whole_where_others_stand_in_its_place(operator: Client) -> None:
    job = running()
    first = add_text(job, "one", "two")
    address = asked(operator, job)
    first.segments.all().delete()
    Segment.objects.create(job=job, chunk=first, index=0, start_seconds=0, end_seconds=1, text="uno")
    Segment.objects.create(job=job, chunk=first, index=1, start_seconds=1, end_seconds=2, text="due")
    add_text(job, "three")
    answer = operator.get(address)
    assert lines(answer) == ["uno", "due", "three"]
    assert element(answer, id="job-text")["hx-swap-oob"] == "true"


@pytest.mark.parametrize("mark", ["", "x", "-1-2-3", "2", "2-", "99999999999-1-1", "²-1-1", "1-0-1"])
def test_any_mark_gets_the_text(operator: Client, mark: str) -> None:
    job = running()
    add_text(job, "one", "two")
    state = asked(operator, job).partition("&")[0]
    assert lines(operator.get(f"{state}&segments={mark}")) == ["one", "two"]


def test_long_text_is_reached_page_by_page_without_a_script(operator: Client) -> None:
    job = running()
    every = [f"s{number}" for number in range(2 * SEGMENTS_PER_PAGE + 1)]
    add_text(job, *every)
    page, found = operator.get(f"/jobs/{job.pk}/"), []
    for _ in range(3):
        found += lines(page)
        assert len(lines(page)) <= SEGMENTS_PER_PAGE
        following = elements(page, "a", id="text-after")
        if following:
            page = operator.get(following[0]["href"].partition("#")[0])
    assert found == every
    assert not has_id(page, "text-after")


def test_text_on_a_later_page_brings_the_link_to_it_and_nothing_else(operator: Client) -> None:
    job = running()
    add_text(job, *["text"] * SEGMENTS_PER_PAGE)
    address = asked(operator, job)
    add_text(job, "new")
    answer = operator.get(address)
    assert sent(answer) == []
    assert "text=2" in element(answer, id="text-after")["href"]
    address = asked(operator, job, "?text=2")
    add_text(job, "newer")
    assert sent(operator.get(address)) == ["newer"]
