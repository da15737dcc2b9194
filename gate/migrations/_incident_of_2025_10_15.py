"""What is known of the freeze of 15 October 2025. Not a migration (the name begins with an underscore): its text."""

from datetime import UTC, datetime

GIB = 1024**3
HOST = "mac-mini-2012"
SUBJECT = "parallel Whisper"
CORRECTED_AT = datetime(2026, 11, 25, tzinfo=UTC)
DOCUMENT = "operating protocols of 2025-10-15"


def at(hour, minute, second):
    """The document gives the machine's local time and no zone; it is kept as if it were UTC."""
    return datetime(2025, 10, 15, hour, minute, second, tzinfo=UTC)


SUMMARY = (
    "The machine (Mac Mini of 2012, 2 cores, 16 GB) froze while two Whisper large-v3 processes loaded their models at "
    "once, and came back after a forced restart. An hour before, four at once had been started. All work of both runs "
    "was lost."
)
TIMELINE = [
    (at(10, 37, 54), "opened", "A script started 4 Whisper large-v3 processes at once."),
    (
        at(11, 37, 37),
        "joined",
        "A second try started 2 at once. The machine froze while their models loaded in parallel.",
    ),
    (at(11, 52, 3), "recovered", "The machine ran again after a forced restart, 14 minutes after the second start."),
    (at(11, 52, 3), "resolved", "From then on one heavy model process at a time, behind the gate and the lock."),
]


def memory(count, gib_each):
    return {
        "name": f"memory for {count} processes of {gib_each} GiB",
        "value": count * gib_each * GIB,
        "limit": 14 * GIB,
        "unit": "bytes",
        "at_least": False,
        "source": f"{DOCUMENT}: 5 to 10 GB each",
    }


# The limit is the document's: 16 GB in all, less 2 GB for the system.
MEASURES = [memory(2, 5), memory(2, 10), memory(4, 5), memory(4, 10)]
CAUSES = [
    "Memory was exhausted: large-v3 needs 5 to 10 GB for each process while it loads, and 14 GB were to be had. Two "
    "processes need 10 to 20 GB (29 % below the limit to 43 % above it), four need 20 to 40 GB (43 % to 186 % above it).",
    "Nothing kept heavy processes from each other: no lock, no look at memory before the start, and scripts with a fixed "
    "number of parallel processes.",
    "Heat may have had a part, and nothing is known of it: the processor's temperature during the freeze was not recorded.",
]
RECOVERY = (
    "Forced restart.\n"
    "The number of parallel processes was set to 1, and a gate with five checks and a lock was put before every heavy "
    "process. This panel is that gate."
)
EVIDENCE = [
    (
        "Logs of the two runs (file and line, as the document names them)",
        "j5a-nightshift/ops/logs/weaponized_ep91_chunked_20251015_103754.log:8\n"
        "    Parallel processing: 4 concurrent chunks\n"
        "j5a-nightshift/ops/logs/weaponized_ep91_chunked_20251015_113737.log:8\n"
        "    Parallel processing: 2 concurrent chunks\n"
        "whisper_chunk_*.log\n"
        "    all empty: the processes ended before they wrote a line",
    ),
    (
        "Kernel",
        "ACPI EC interrupt block and unblock events. They fit a hang and its end; by themselves they prove neither.",
    ),
]
NOTES = [
    "Correction, temperature. The document says that 103 °C were reached at the sensor TCPG, 29 % over the limit of 80 °C. "
    "TCPG is no reading: this model of Mac always shows 103 °C there, idle as well, while its cores are at 40 to 51 °C "
    "(public reports; among others macmade/Hot, issue 101). No violation of a temperature limit is proved. This is why "
    "the gate never takes the maximum over all sensors.",
    "Correction, memory. The document says that two processes exceeded the safe limit by 40 to 140 %. That does not follow "
    "from its own figures: 10 to 20 GB against 14 GB are −29 % to +43 %. Four processes are +43 % to +186 %.",
    "Correction, what ran. The document speaks of large-v3; the copy of that script in its repository asks for the model "
    "tiny. Which of both ran that day is not recorded. The figures above are those for large-v3.",
    "Times are the machine's local time. The document names no zone; they are kept as if they were UTC.",
    "Not known: whether the kernel killed processes before the freeze. Empty logs fit both.",
]


def record(apps):
    """Make it once, with its timeline, evidence and notes."""
    incident_model = apps.get_model("gate", "Incident")
    if incident_model.objects.filter(host=HOST, subject=SUBJECT).exists():
        return
    incident = incident_model.objects.create(
        host=HOST,
        kind="unclean_shutdown",
        subject=SUBJECT,
        status="resolved",
        summary=SUMMARY,
        first_at=TIMELINE[0][0],
        last_at=TIMELINE[1][0],
        count=2,
        measures=MEASURES,
        causes=CAUSES,
        recovery=RECOVERY,
        resolved_by="the authors of the operating protocols",
        resolved_at=TIMELINE[-1][0],
    )
    events = apps.get_model("gate", "IncidentEvent").objects
    for moment, kind, text in TIMELINE:
        who = incident.resolved_by if kind == "resolved" else ""
        events.create(incident=incident, kind=kind, at=moment, text=text, who=who)
    for text in NOTES:
        events.create(incident=incident, kind="note", at=CORRECTED_AT, text=text, who="J5A")
    pieces = apps.get_model("gate", "IncidentEvidence").objects
    for title, text in EVIDENCE:
        pieces.create(incident=incident, at=TIMELINE[-1][0], title=title, text=text)
