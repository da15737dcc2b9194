"""Builtins of the shell that change what is known, and the gate's own functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gate.core.asked_model import LARGEST, gate_model
from gate.core.audit.prefixes import ShellText, base_name
from gate.core.audit.shell_simple import ShellSimple
from gate.core.audit.shell_state import IGNORED, NOT_SOURCED, RELEASED, Exits, Site, State
from gate.core.audit.values import UNKNOWN

__all__ = ["ShellBuiltins"]

GATE_SCRIPT = "resource_safety_gate.sh"
# A script that uses one of these without defining it has it from a library, where it ends the script.
_ENDS_SCRIPT = frozenset({"die", "fatal", "abort", "bail", "panic"})


class ShellBuiltins(ShellSimple):
    def text(self, shell: ShellText, site: Site, state: State) -> None:
        raise NotImplementedError  # a later class of this line has it: shell_flow, _simple, _builtins, shell

    def builtin(self, argv: Sequence[str], site: Site, state: State) -> Exits | None:
        """What holds after a builtin; None when it is none."""
        name, *arguments = argv
        match name:
            case "acquire_whisper_lock":
                return _acquired(arguments, state)
            case "release_whisper_lock":
                released = replace(state, held=False, asked="", why=RELEASED)
                return released, released
            case "source" | ".":
                sourced = self._sourced(arguments, state)
                return sourced, sourced
            case "trap":
                self._trap(arguments, site, state)
                return state, state
            case "set" | "shift":
                return self._changed(name, arguments, state), None
            case ":" | "true":
                return state, None
            case "false":
                return None, state
        return self._left(name, arguments, state)

    def _left(self, name: str, arguments: Sequence[str], state: State) -> Exits | None:
        """`exit`, `return`, `break` and their like do not come back."""
        if name == "return":
            self._returns[-1].append(_returned(arguments, state))
        elif name in ("break", "continue"):
            self._ends[-1].append(state)
        elif name != "exit" and name not in _ENDS_SCRIPT:
            return None
        return None, None

    def _sourced(self, arguments: Sequence[str], state: State) -> State:
        name = base_name(arguments[0]) if arguments else ""
        if name != GATE_SCRIPT and UNKNOWN not in name:
            return state
        if "LOCKFILE_DIR" not in self.values.scalars:  # a constant of the older gate
            self.values.assign("LOCKFILE_DIR", self.values.scalar("J5A_LOCK_DIR") or "")
        return replace(state, sourced=True)

    def _trap(self, arguments: Sequence[str], site: Site, state: State) -> None:
        """It runs later: what it does is judged, what it gives back is not given back now."""
        if arguments and arguments[0] and not arguments[0].startswith("-"):
            self.text(ShellText(text=arguments[0]), site, state)

    def _changed(self, name: str, arguments: Sequence[str], state: State) -> State:
        if name == "shift":
            self.values.shift(int(arguments[0]) if arguments and arguments[0].isdigit() else 1)
            return state
        if "--" in arguments:
            self.values.positional = list(arguments[arguments.index("--") + 1 :])
        return replace(state, errexit=_errexit(arguments, before=state.errexit))


def _acquired(arguments: Sequence[str], state: State) -> Exits:
    asked = gate_model(arguments[0] if arguments else LARGEST)
    if state.held:  # asked again
        return replace(state, asked=asked), state
    if not state.sourced:
        unknown = replace(state, why=NOT_SOURCED)
        return unknown, unknown
    return replace(state, held=True, asked=asked, why=""), replace(state, why=IGNORED)


def _returned(arguments: Sequence[str], state: State) -> Exits:
    code = arguments[0] if arguments else ""
    if code == "0":
        return state, None
    return (None, state) if code.isdigit() else (state, state)


def _errexit(arguments: Sequence[str], *, before: bool) -> bool:
    """`set -e`, `set -euo pipefail`, `set -o errexit`, and their opposites with `+`."""
    errexit = before
    for at, word in enumerate(arguments):
        if word == "--":
            break
        by_letter = re.fullmatch(r"[-+][a-zA-Z]*e[a-zA-Z]*", word) is not None
        by_name = re.fullmatch(r"[-+][a-zA-Z]*o", word) is not None and "errexit" in arguments[at + 1 : at + 2]
        if by_letter or by_name:
            errexit = word.startswith("-")
    return errexit
