"""J5A001 in Python: a launch is gated when the lock is held there, whichever way the program came."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

HEAD = (
    "import sys, subprocess, contextlib, whisper\nfrom gate.services import gate_evaluate, lock_acquire, lock_release\n"
)

GOOD = [
    """
    with lock_acquire(model="tiny"):
        whisper.load_model("tiny")
    """,
    """
    held = lock_acquire(model="tiny")
    whisper.load_model("tiny")
    """,
    """
    held = lock_acquire(model="tiny")
    try:
        model = whisper.load_model("tiny")
    finally:
        lock_release(held)
    """,
    """
    held = lock_acquire(model="tiny")
    with held:
        subprocess.run(["whisper", "a.mp3"])
    """,
    """
    try:
        held = lock_acquire(model="tiny")
    except Exception:
        sys.exit("blocked")
    whisper.load_model("tiny")
    """,
    """
    def work():
        return whisper.load_model("tiny")

    with lock_acquire(model="tiny"):
        work()
    """,
    """
    def work():
        return whisper.load_model("tiny")

    def main():
        with lock_acquire(model="tiny"):
            work()

    if __name__ == "__main__":
        main()
    """,
    """
    def take():
        global held
        held = lock_acquire(model="tiny")

    take()
    whisper.load_model("tiny")
    """,
    """
    @contextlib.contextmanager
    def gated():
        with lock_acquire(model="tiny"):
            yield

    with gated():
        whisper.load_model("tiny")
    """,
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(lock_acquire(model="tiny"))
        whisper.load_model("tiny")
    """,
    """
    class Engine:
        def __init__(self):
            self.model = whisper.load_model("tiny")

    with lock_acquire(model="tiny"):
        Engine()
    """,
    """
    class Engine:
        def go(self):
            with lock_acquire(model="tiny"):
                self.load()

        def load(self):
            self.model = whisper.load_model("tiny")
    """,
    """
    import gate.services
    with gate.services.lock_acquire(model="tiny"):
        whisper.load_model("tiny")
    """,
    """
    from gate import services
    with services.lock_acquire(model="tiny"):
        whisper.load_model("tiny")
    """,
    """
    while True:
        try:
            held = lock_acquire(model="tiny")
            break
        except Exception:
            pass
    whisper.load_model("tiny")
    """,
]

BAD = [
    """
    with lock_acquire(model="tiny"):
        pass
    whisper.load_model("tiny")
    """,
    """
    model = whisper.load_model("tiny")
    held = lock_acquire(model="tiny")
    """,
    """
    held = lock_acquire(model="tiny")
    lock_release(held)
    whisper.load_model("tiny")
    """,
    """
    held = lock_acquire(model="tiny")
    held.release()
    whisper.load_model("tiny")
    """,
    """
    try:
        held = lock_acquire(model="tiny")
    except Exception:
        print("blocked")
    whisper.load_model("tiny")
    """,
    """
    if len(sys.argv) > 1:
        held = lock_acquire(model="tiny")
    whisper.load_model("tiny")
    """,
    """
    def work():
        return whisper.load_model("tiny")

    with lock_acquire(model="tiny"):
        work()
    work()
    """,
    """
    def work():
        return whisper.load_model("tiny")
    """,
    """
    def lock_acquire(**_):
        pass

    with lock_acquire(model="tiny"):
        whisper.load_model("tiny")
    """,
    """
    from mine import lock_acquire
    with lock_acquire(model="tiny"):
        whisper.load_model("tiny")
    """,
    """
    gate_evaluate(requirement)
    whisper.load_model("tiny")
    """,
    """
    subprocess.run(["python", "manage.py", "gate", "check"], check=True)
    whisper.load_model("tiny")
    """,
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(lock_acquire(model="tiny"))
    whisper.load_model("tiny")
    """,
    """
    @contextlib.contextmanager
    def gated():
        with lock_acquire(model="tiny"):
            pass
        yield

    with gated():
        whisper.load_model("tiny")
    """,
    """
    for name in names:
        whisper.load_model(name)
        lock_release(lock_acquire(model="tiny"))
    """,
]


@pytest.mark.parametrize("text", GOOD)
def test_it_accepts_a_launch_under_the_lock(text: str, python_rules: Callable[[str], set[str]]) -> None:
    assert python_rules(HEAD + dedent(text)) == set()


@pytest.mark.parametrize("text", BAD)
def test_it_finds_a_launch_that_can_be_reached_without_the_lock(
    text: str, python_rules: Callable[[str], set[str]]
) -> None:
    head = HEAD if "import lock_acquire" not in text and "def lock_acquire" not in text else "import whisper\n"
    assert python_rules(head + dedent(text)) == {"J5A001"}
