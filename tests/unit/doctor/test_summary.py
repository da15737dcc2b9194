"""The sentence at the top: what fails comes first, by name."""

from __future__ import annotations

from j5a_admin.doctor.findings import failed, passed, summary_of, warned

GOOD, MEANWHILE, BAD = passed("a", "."), warned("b", ".", "!"), failed("c", ".", "!")


def test_it_names_what_fails_before_what_warns() -> None:
    summary = summary_of([GOOD, MEANWHILE, BAD, failed("d", ".", "!"), GOOD])
    assert (summary.title, summary.tone) == ("Something must be mended", "bad")
    assert summary.text == "2 FAIL (c, d); 1 WARN (b); 2 PASS."


def test_warnings_alone_are_no_failure() -> None:
    summary = summary_of([GOOD, MEANWHILE])
    assert (summary.title, summary.tone, summary.text) == ("It works, with warnings", "warn", "1 WARN (b); 1 PASS.")


def test_it_says_when_all_is_well() -> None:
    summary = summary_of([GOOD])
    assert (summary.title, summary.tone, summary.text) == ("All is well", "good", "1 PASS.")
