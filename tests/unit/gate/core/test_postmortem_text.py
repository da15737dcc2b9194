"""What people and programs wrote stays text in the post-mortem: no markup, no list, no rule, no named character."""

from __future__ import annotations

import pytest

from gate.core.incidents.postmortem import fenced, inline, paragraph


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("- a bullet", "\\- a bullet"),
        ("+ a bullet", "\\+ a bullet"),
        ("---", "\\---"),
        ("===", "\\==="),
        ("1. a number", "1\\. a number"),
        ("12) a number", "12\\) a number"),
        ("# a heading", "\\# a heading"),
        ("> a quotation", "\\> a quotation"),
        ("&lt;b&gt; &#60;", "\\&lt;b\\&gt; \\&\\#60;"),
        ("<script>", "\\<script\\>"),
        ("![x](y)", "!\\[x\\](y)"),
        ("a | b", "a \\| b"),
        ("two\nlines", "two lines"),
        # what needs no mark has none: it is read as it is, too
        ("2026-11-25 12:00:00 UTC", "2026-11-25 12:00:00 UTC"),
        ("1.5 GiB - and more", "1.5 GiB - and more"),
        ("-5.0 °C", "-5.0 °C"),
        ("fan & dust", "fan & dust"),
    ],
)
def test_a_line_is_text(written: str, shown: str) -> None:
    assert inline(written) == shown


def test_each_paragraph_is_text() -> None:
    assert paragraph("first\n\n1. second\n \n---") == "first\n\n1\\. second\n\n\\---"


def test_no_output_of_a_program_ends_its_block() -> None:
    assert fenced("a\n````\n# b") == "`````text\na\n````\n# b\n`````"
