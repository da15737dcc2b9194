"""Write a command's answer where it was asked for; what cannot be written must not look like an answer."""

from __future__ import annotations

from django.core.management.base import CommandError, OutputWrapper

from gate.core.patient import patient_stderr, streams_settle

__all__ = ["answer_write", "stderr_say"]

EXIT_UNWRITTEN = 2


def answer_write(out: OutputWrapper, text: str) -> None:
    """Who reads no further (`| head`) changes nothing: the exit code stays the answer's.

    Raises CommandError where it cannot be written, on a full disk for example.
    """
    encoding = getattr(out, "encoding", None) or "utf-8"
    try:
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        out.flush()
    except BrokenPipeError:
        streams_settle()
    except OSError as problem:
        streams_settle()
        reason = f"The answer cannot be written to standard output ({problem.strerror})."
        raise CommandError(reason, returncode=EXIT_UNWRITTEN) from problem


def stderr_say(text: str) -> None:
    """To stderr: stdout belongs to the command that runs under the gate. A closed or full stderr loses the text."""
    patient_stderr.write(f"gate: {text}\n")
