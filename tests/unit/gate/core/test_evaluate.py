from __future__ import annotations

import json
from itertools import product

from gate.core.evaluate import evaluate
from gate.core.hysteresis import Latch
from gate.core.policy import GatePolicy
from gate.core.readings import ActivityReading, ForeignProcess, LockState, ProcessReading, Snapshot
from gate.core.units import GIB
from gate.core.verdict import CheckName, Outcome, Verdict
from tests.support.builders import LARGE, lock, memory, snapshot, temperature

FOREIGN = ProcessReading(foreign=(ForeignProcess(pid=9, what="whisper", command="whisper", age_seconds=None),))
BUSY = ActivityReading(total_bytes=3 * GIB)
EVERYTHING_WRONG = snapshot(
    memory=memory(GIB), temperature=temperature(90.0), processes=FOREIGN, activity=BUSY, lock=lock(LockState.HELD)
)


def ask(seen: Snapshot, latch: Latch | None = None) -> Verdict:
    return evaluate(seen, GatePolicy(), LARGE, latch or Latch())


def test_it_always_gives_five_results_in_the_order_of_the_protocol() -> None:
    for seen in (snapshot(), EVERYTHING_WRONG):
        assert [result.check for result in ask(seen).results] == list(CheckName)


def test_it_runs_every_check_also_after_one_has_blocked() -> None:
    verdict = ask(EVERYTHING_WRONG)
    assert [result.outcome for result in verdict.results] == [
        Outcome.BLOCK, Outcome.BLOCK, Outcome.BLOCK, Outcome.WARN, Outcome.BLOCK,
    ]  # fmt: skip


def test_it_admits_exactly_when_none_of_the_four_blocks() -> None:
    choices = product((True, False), repeat=4)
    for enough, cool, alone, free in choices:
        seen = snapshot(
            memory=memory(20 * GIB if enough else GIB),
            temperature=temperature(45.0 if cool else 82.0),
            processes=ProcessReading() if alone else FOREIGN,
            activity=BUSY,
            lock=lock(LockState.FREE if free else LockState.HELD),
        )
        assert ask(seen).admitted is (enough and cool and alone and free)


def test_unknown_blocks() -> None:
    assert not ask(snapshot(memory=memory(None))).admitted
    assert not ask(snapshot(temperature=temperature(None))).admitted
    assert not ask(snapshot(processes=ProcessReading(problem="gone"))).admitted
    assert not ask(snapshot(lock=lock(LockState.MALFORMED))).admitted


def test_the_latch_goes_through_the_verdict_into_the_next_one() -> None:
    hot = ask(snapshot(temperature=temperature(83.0)))
    cooling = ask(snapshot(temperature=temperature(76.0)), Latch(hot.latched))
    cool = ask(snapshot(temperature=temperature(74.9)), Latch(cooling.latched))
    assert [v.admitted for v in (hot, cooling, cool)] == [False, False, True]


def test_the_reason_names_the_first_block_with_figures_and_the_others() -> None:
    reason = ask(EVERYTHING_WRONG).reason
    assert reason.startswith("Blocked by memory: 1.0 GiB available, 14.0 GiB needed")
    assert reason.endswith("Also: temperature and whisper processes and lock.")


def test_the_reason_of_an_admission_tells_warnings() -> None:
    assert ask(snapshot()).reason == "Admitted: all five checks pass."
    assert "watched programs (claude): 3.0 GiB" in ask(snapshot(activity=BUSY)).reason


def test_it_says_when_this_machine_can_never_pass() -> None:
    assert ask(snapshot(memory=memory(8 * GIB, 12 * GIB))).never_passes


def test_a_verdict_comes_back_from_json_as_it_was() -> None:
    verdict = ask(EVERYTHING_WRONG, Latch(True))
    assert Verdict.from_json_dict(json.loads(json.dumps(verdict.to_json_dict()))) == verdict


def test_the_fingerprint_is_equal_for_equal_answers_only() -> None:
    assert ask(snapshot()).fingerprint == ask(snapshot(temperature=temperature(50.0))).fingerprint
    assert ask(snapshot()).fingerprint != ask(EVERYTHING_WRONG).fingerprint


def test_a_result_is_found_by_its_check() -> None:
    verdict = ask(EVERYTHING_WRONG)
    assert [verdict.result(check).check for check in CheckName] == list(CheckName)
