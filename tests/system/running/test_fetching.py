"""A model that is not here: fetched with progress, cancelled in the middle, and what is said without a network."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.panel import Panel, until
from tests.support.speech_files import SPEECH_DIR
from tests.support.weights_server import CLOSED_PORT
from transcribe.catalog import model_named

CLIP = SPEECH_DIR / "clip_00.flac"
TOTAL_BYTES = 75_572_083  # of tiny.pt


@contextmanager
def slow_publisher(silent_after_bytes: int = TOTAL_BYTES) -> Iterator[str]:
    """Answers every request with tiny's length and about 1 MB/s of zeros, then says nothing more."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {TOTAL_BYTES}\r\n\r\n".encode())
                try:
                    for _ in range(silent_after_bytes // 100_000):
                        connection.sendall(bytes(100_000))
                        time.sleep(0.1)
                    connection.recv(1)  # until the client goes away
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


@pytest.mark.parametrize("silent_after_bytes", [TOTAL_BYTES, 3_000_000], ids=["slow", "silent"])
def test_a_download_shows_its_progress_and_ends_when_the_job_is_cancelled(
    make_panel: Callable[..., Panel], silent_after_bytes: int
) -> None:
    with slow_publisher(silent_after_bytes) as url:
        panel = make_panel(J5A_WEIGHTS_URL=url)
        panel.login()
        panel.submit(CLIP)
        job_id = panel.submit(CLIP, model="tiny")
        some = re.compile(r"tiny: ([2-9]|\d\d) %")  # told once a second: a given number may be passed over
        until(lambda: some.search(panel.job(job_id)["activity"]), seconds=60, what="some hundredths have come")
        assert "Fetching the model tiny: " in panel.get(f"/jobs/{job_id}/")
        assert panel.lock_path.read_text().strip() == "", "the lock of the job before is given back"
        assert panel.engines() == []
        time.sleep(1.0)  # with the silent server nothing comes any more
        begun = time.monotonic()
        panel.post_form(f"/jobs/{job_id}/cancel/", {}, page=panel.get(f"/jobs/{job_id}/"))
        panel.wait_for_job(job_id, "cancelled", seconds=10)
        assert time.monotonic() - begun < 10
    part = panel.data_dir / "models" / "tiny.pt.part"
    assert part.stat().st_size > 1_000_000, "what has come stays for the next time"
    next_id = panel.submit(CLIP)
    panel.wait_for_job(next_id, "succeeded")


def test_without_a_network_it_says_where_to_put_the_file(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel(J5A_WEIGHTS_URL=CLOSED_PORT)
    job_id = panel.submit(CLIP, model="tiny")
    reason = panel.wait_for_job(job_id, "failed", seconds=90)["reason"]
    tiny = model_named("tiny")
    assert tiny is not None
    assert str(panel.data_dir / "models" / "tiny.pt") in reason
    assert tiny.sha256 in reason
