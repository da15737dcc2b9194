"""The processor's features: what is missing is told, and what a 2012 machine lacks is no fault."""

from __future__ import annotations

import pytest

from j5a_admin.doctor.findings import Status
from j5a_admin.doctor.processor import flags_in, judge_processor

ALL = frozenset({"sse2", "avx", "avx2", "fma"})


@pytest.mark.parametrize("machine", ["x86_64", "AMD64", "i686"])
@pytest.mark.parametrize(
    ("flags", "status", "says"),
    [
        (ALL, Status.PASS, "AVX, AVX2 and FMA"),
        (ALL - {"avx2"}, Status.PASS, "AVX but not AVX2, as a 2012 Mac Mini"),
        (ALL - {"avx2", "fma"}, Status.PASS, "AVX but not AVX2 and FMA"),
        (ALL - {"avx"}, Status.WARN, "no AVX."),
        (frozenset({"sse2"}), Status.WARN, "no AVX."),
        (frozenset(), Status.WARN, "no AVX."),
        (None, Status.WARN, "does not list"),
    ],
)
def test_it_judges_by_the_flags(machine: str, flags: frozenset[str] | None, status: Status, says: str) -> None:
    finding = judge_processor(machine, flags)
    assert finding.status is status
    assert says in finding.sentence
    assert bool(finding.advice) is (flags != ALL)


@pytest.mark.parametrize("machine", ["aarch64", "arm64", "riscv64", ""])
def test_it_does_not_apply_elsewhere(machine: str) -> None:
    finding = judge_processor(machine, None)
    assert finding.status is Status.PASS
    assert "does not apply" in finding.sentence


def test_it_reads_the_flags_of_the_kernel() -> None:
    text = (
        "processor\t: 0\nmodel name\t: an avx2 in the name\nflags\t\t: fpu sse2 avx\n\nprocessor\t: 1\nflags\t\t: fma\n"
    )
    assert flags_in(text) == {"fpu", "sse2", "avx"}


def test_it_finds_no_flags_where_none_are_listed() -> None:
    assert flags_in("processor\t: 0\nFeatures\t: asimd\n") is None
