"""Errors of the engine side. EngineError ← ProtocolError, RequestFailed."""

from __future__ import annotations


class EngineError(Exception):
    pass


class ProtocolError(EngineError):
    pass


class RequestFailed(EngineError):
    """A request has no answer; `permanent` says whether asking again can help."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent
