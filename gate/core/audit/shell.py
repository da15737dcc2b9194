"""Heavy launches and the other rules in a shell script: what each command line does there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from gate.core.asked_model import AskedModel, asked_model, gate_model, larger_name
from gate.core.audit import commands, prefixes
from gate.core.audit.findings import Launch, Place, Scan
from gate.core.audit.grammar import parse_shell
from gate.core.audit.nodes import Function, inner_commands
from gate.core.audit.prefixes import base_name
from gate.core.audit.shell_builtins import ShellBuiltins
from gate.core.audit.shell_simple import STEPS_LIMIT, TooManyPaths
from gate.core.audit.shell_state import Context, Exits, Site, State, either
from gate.core.audit.values import UNKNOWN

__all__ = ["ScanText", "audit_shell"]

# Audits a nested text of the other language: the text, the number of its first line, whether the lock is held there.
ScanText = Callable[[str, int, bool], Scan]

DEPTH_LIMIT = 12  # functions that call functions
_ERREXIT_SHEBANG = re.compile(r"#!.*\s-[a-zA-Z]*e")
# Commands that keep what they are given.
_WRITERS = prefixes.word_set("tee cp mv dd install sponge sqlite3 psql rsync scp")


def audit_shell(text: str, *, python: ScanText, first_line: int = 1, held: bool = False) -> Scan:
    """Every finding in a shell script. `held`: the lock is held by what runs this text."""
    block, scanner, problems = parse_shell(text, first_line)
    audit = _ShellAudit(python)
    errexit = _ERREXIT_SHEBANG.match(text) is not None
    try:
        audit.block(block, State(held=held, errexit=errexit))
        audit.uncalled_functions()
    except TooManyPaths:
        problems.append(f"it runs through more than {STEPS_LIMIT} commands, and only these were followed")
    except RecursionError:
        problems.append("it is nested too deeply for the audit")
    return Scan(
        hits=tuple(audit.hits.values()),
        launches=tuple(audit.launches),
        comments=(*scanner.comments, *audit.comments),
        problems=(*problems, *audit.problems),
    )


class _ShellAudit(ShellBuiltins):
    def __init__(self, python: ScanText) -> None:
        super().__init__()
        self._python = python
        self._known_calls: dict[tuple[object, ...], tuple[Exits, list[Launch], bool]] = {}

    def run(self, argv: Sequence[str], site: Site, state: State) -> Exits:
        """One command line, prefixes and all."""
        if not argv:
            return state, state
        if not site.skips_functions:
            if argv[0] in self.functions:
                return self._call(argv, site, state)
            if (exits := self.builtin(argv, site, state)) is not None:
                return exits
        if (gated := prefixes.gate_run(argv)) is not None:
            return self._under_gate(gated, site, state)
        if (inner := prefixes.unwrapped(argv)) is not None and not prefixes.shell_text(argv):
            return self._unwrapped(argv, inner, site, state)
        self._nested(argv, site, state)
        self._effects(argv, site, state)
        return state, state

    # ── commands that start others ────────────────────────────────────────────────────────────────
    def _under_gate(self, gated: prefixes.GateRun, site: Site, state: State) -> Exits:
        with self.within(self._context.gated_alone()):
            self.run(gated.argv, site, replace(state, held=True, asked=gate_model(gated.model)))
        return state, state

    def _unwrapped(self, argv: Sequence[str], inner: prefixes.Inner, site: Site, state: State) -> Exits:
        context = replace(self._context, background=site.place) if inner.detaches else self._context
        skips_functions = base_name(argv[0]) not in ("time", "noglob", "builtin")
        with self.within(context):
            exits = self.run(inner.argv, replace(site, skips_functions=skips_functions), state)
        return (None, None) if argv[0] == "exec" and inner.argv else exits

    def _nested(self, argv: Sequence[str], site: Site, state: State) -> None:
        """Commands inside this command line: in a text, on its input, or behind xargs and find."""
        shell = prefixes.shell_text(argv)
        if shell is not None:
            self.text(shell, site, state)
        python = prefixes.python_text(argv)
        if python is not None:
            self._python_text(python, site.text_line, state)
        elif site.standard_input is not None and prefixes.reads_commands_from_stdin(argv):
            self._input_text(argv, site, state)
        for command in prefixes.find_commands(argv):
            self.run(command, replace(site, skips_functions=True), state)
        self._fanout(argv, site, state)

    def _input_text(self, argv: Sequence[str], site: Site, state: State) -> None:
        text = site.standard_input or ""
        if prefixes.is_python(argv[0]):
            self._python_text(text, site.input_line, state)
        else:
            self.text(prefixes.ShellText(text=text), replace(site, text_line=site.input_line), state)

    def _fanout(self, argv: Sequence[str], site: Site, state: State) -> None:
        fanout = prefixes.fanout(argv)
        if fanout is None:
            return
        is_parallel = commands.more_than_one(fanout.workers)
        with self.within(replace(self._context, parallel=site.place) if is_parallel else self._context):
            self.run(fanout.argv, replace(site, skips_functions=True), state)
            self.text(prefixes.ShellText(text=fanout.text), site, state)

    def text(self, shell: prefixes.ShellText, site: Site, state: State) -> None:
        """Commands in a text: they see the script's functions and variables."""
        block, scanner, problems = parse_shell(shell.text, site.text_line or site.place.line)
        if "\n" in shell.text:
            self.comments += scanner.comments
        if UNKNOWN not in shell.text:
            self.problems += problems
        before = self.values.positional
        self.values.positional = None if shell.positional is None else list(shell.positional)
        with self.within(self._deeper(site)):
            self.block(block, state)
        self.values.positional = before

    def _python_text(self, text: str, line: int, state: State) -> None:
        scan = self._python(text.replace(UNKNOWN, "0"), line, state.held)
        for hit in scan.hits:
            self.hits.setdefault((hit.rule, hit.place.line), hit)
        self.comments += scan.comments
        self.problems += scan.problems
        for launch in scan.launches:
            self._launched(launch, replace(state, held=True))

    # ── functions ─────────────────────────────────────────────────────────────────────────────────
    def _call(self, argv: Sequence[str], site: Site, state: State) -> Exits:
        self.called.add(argv[0])
        innermost = self._loops[-1].place if self._loops else None
        context = self._deeper(site)
        key = (tuple(argv), state, context, innermost)
        if key not in self._known_calls:
            if context.depth > DEPTH_LIMIT:
                return state, state
            self._known_calls[key] = ((state, state), [], False)  # what a call of itself meets
            launches, writes = len(self.launches), self._writes
            exits = self._body(self.functions[argv[0]][0], argv[1:], context, state)
            self._known_calls[key] = (exits, self.launches[launches:], self._writes > writes)
            return exits
        exits, launched, wrote = self._known_calls[key]
        self.launches += launched
        if wrote:
            self.note_write()
        return exits

    def _body(self, function: Function, arguments: Sequence[str], context: Context, state: State) -> Exits:
        before, self.values.positional = self.values.positional, list(arguments)
        self._returns.append([])
        self._ends.append([])
        with self.within(context):
            success, failure = self.command(function.body, state)
        self._ends.pop()
        returned = self._returns.pop()
        self.values.positional = before
        return either(success, *(one for one, _ in returned)), either(failure, *(other for _, other in returned))

    def _deeper(self, site: Site) -> Context:
        caller = self._context.caller if site.positional and self._context.caller else site.place
        return replace(self._context, caller=caller, depth=self._context.depth + 1)

    def uncalled_functions(self) -> None:
        """They are for who sources this file: what was true where they stand is true in them."""
        for name in self._roots() + list(self.functions):
            if name not in self.called:
                function, state = self.functions[name]
                self.called.add(name)
                self._returns.append([])
                self.command(function.body, state)
                self._returns.pop()

    def _roots(self) -> list[str]:
        """Uncalled functions that no other uncalled one calls."""
        uncalled = [name for name in self.functions if name not in self.called]
        named = {word for name in uncalled for word in _command_names(self.functions[name][0])}
        return [name for name in uncalled if name not in named]

    # ── rules ─────────────────────────────────────────────────────────────────────────────────────
    def _effects(self, argv: Sequence[str], site: Site, state: State) -> None:
        place = self._place_of(argv, site)
        if base_name(argv[0]) in _WRITERS:
            self.note_write()
        if (killer := commands.kills_by_word(argv)) is not None:
            self.hit("J5A004", place, f"{killer} ends every process whose command line or name has the word.")
        elif base_name(argv[0]) == "kill" and self._kills_found(argv, site):
            self.hit("J5A004", place, "kill gets PIDs that were found by the word, not the one that was started.")
        if commands.removes_lock(argv):
            self.hit("J5A005", place, f"{base_name(argv[0])} removes the lock file, whoever holds it.")
        program = commands.launched_program(argv)
        if program is not None:
            if commands.saves_by_itself(argv):
                self.note_write()
            self._launched(Launch(program=program, place=place, model=_model_of(argv)), state)

    def _kills_found(self, argv: Sequence[str], site: Site) -> bool:
        only_asks = any(word in ("-0", "-l", "-L") for word in argv[1:])
        return not only_asks and (site.has_found_pids or self._context.gets_pids)

    def _launched(self, launch: Launch, state: State) -> None:
        self.launches.append(launch)
        if not state.held:
            why = f": {state.why}" if state.why else ""
            self.hit("J5A001", launch.place, f"{launch.program} is started without the gate{why}.")
        elif state.asked and launch.model is not None and larger_name(launch.model.name, state.asked):
            loads = f"{launch.program} loads {launch.model.phrase}"
            self.hit("J5A008", launch.place, f"The gate was asked for {state.asked}, and {loads}.")
        if self._context.background is not None:
            self.hit(
                "J5A003",
                self._context.background,
                f"{launch.program} runs in the background, where others start beside it.",
            )
        if self._context.parallel is not None:
            self.hit("J5A002", self._context.parallel, f"{launch.program} is started for several inputs at once.")

    def _place_of(self, argv: Sequence[str], site: Site) -> Place:
        """The command line's own place; of one that came in as `$@` the place of the call."""
        is_handed_in = site.length - len(argv) in site.positional
        return self._context.caller or site.place if is_handed_in else site.place


def _model_of(argv: Sequence[str]) -> AskedModel | None:
    asked = asked_model(argv)
    return None if asked is None or UNKNOWN in asked.text else asked


def _command_names(function: Function) -> Iterator[str | None]:
    return (command.words[0].literal for command in inner_commands(function.body) if command.words)
