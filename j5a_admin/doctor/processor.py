"""Which instructions the processor has: they decide how fast torch is."""

from __future__ import annotations

import platform
from pathlib import Path

from j5a_admin.doctor.findings import Finding, passed, warned

__all__ = ["judge_processor", "processor_findings"]

SUBJECT = "processor"
X86_MACHINES = frozenset({"x86_64", "amd64", "i686", "i386"})
# torch picks its code by these; names as in /proc/cpuinfo.
WANTED = ("avx", "avx2", "fma")

_CPUINFO = Path("/proc/cpuinfo")


def processor_findings() -> tuple[Finding, ...]:
    machine = platform.machine()
    return (judge_processor(machine, flags_in(_CPUINFO.read_text(errors="replace")) if _is_x86(machine) else None),)


def judge_processor(machine: str, flags: frozenset[str] | None) -> Finding:
    """`machine` as the kernel names it ("x86_64"); `flags` None when the system does not list them."""
    if not _is_x86(machine):
        return passed(SUBJECT, f"This is a {machine or 'unknown'} processor: the check for AVX does not apply.")
    if flags is None:
        return warned(
            SUBJECT, "The system does not list the processor's features.", "See that it has AVX: `lscpu | grep avx`."
        )
    missing = [name.upper() for name in WANTED if name not in flags]
    if "AVX" in missing:
        return warned(
            SUBJECT,
            "The processor has no AVX. The panel was never tried on such a machine: Whisper may be very slow, "
            "or end with “Illegal instruction”.",
            "Let it read the sample with the demo model; if its engine dies, use a machine from 2011 or later.",
        )
    if missing:
        return passed(
            SUBJECT,
            f"The processor has AVX but not {' and '.join(missing)}, as a 2012 Mac Mini.",
            "Nothing to do: every part works there, tested with that processor's instructions, only slower.",
        )
    return passed(SUBJECT, "The processor has AVX, AVX2 and FMA.")


def flags_in(cpuinfo: str) -> frozenset[str] | None:
    """The features of the first processor in the text of /proc/cpuinfo; None when it lists none."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return frozenset(value.split())
    return None


def _is_x86(machine: str) -> bool:
    return machine.lower() in X86_MACHINES
