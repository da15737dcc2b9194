from __future__ import annotations

import pytest

from transcribe.engine.errors import ProtocolError
from transcribe.engine.protocol import (
    Failed,
    Load,
    Loaded,
    Message,
    Progress,
    Ready,
    Text,
    Transcribe,
    Transcribed,
    decode,
    encode,
)

MESSAGES: list[Message] = [
    Load(path="/m/ä.pt", name="tiny", threads=0, sha256="a" * 64),
    Transcribe(
        pcm_path="/w/a.pcm", start_sample=0, end_sample=16, language=None, options={"beam_size": 5}, temperatures=[0.0]
    ),
    Transcribe(
        pcm_path="/w/a.pcm",
        start_sample=0,
        end_sample=16,
        language="en",
        options={},
        temperatures=[0.0],
        journal_path="/w/a.journal",
        provenance="b" * 64,
    ),
    Ready(pid=7),
    Loaded(load_seconds=1.5, is_multilingual=False, resident_bytes=1, versions={"torch": "2"}),
    Progress(done_seconds=30.0, decoded_windows=1, replayed_windows=2),
    Text(start_seconds=0.0, end_seconds=1.0, text="line\nbreak “ü”"),
    Transcribed(language="en", peak_bytes=2, segments=[{"start": 0.0, "end": 1.0, "text": " a"}]),
    Failed(message="no", permanent=True),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.KIND)
def test_a_message_is_one_line_and_comes_back_equal(message: Message) -> None:
    line = encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == message


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[]", b"null", b"hello", b'{"kind": "ready"}', b'{"kind": "ready", "pid": 1, "x": 2}', b"\xff"],
)
def test_it_refuses_a_line_that_is_not_ours(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(line)
