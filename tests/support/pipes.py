"""Pipes whose writers would wait for ever, or be told that nobody reads."""

from __future__ import annotations

import os


def full_pipe() -> tuple[int, int]:
    """Its reader lives and does not read, as `less` does: both ends."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 65536)
    except BlockingIOError:
        os.set_blocking(write, True)
    return read, write


def unread_pipe() -> int:
    """The end to write to; nobody has the other."""
    read, write = os.pipe()
    os.close(read)
    return write
