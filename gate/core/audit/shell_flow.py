"""Follows a shell script as it would run: lists, branches, loops, functions; the commands are a subclass's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from gate.core.audit.commands import finds_by_word
from gate.core.audit.findings import Comment, Hit, Launch, Place
from gate.core.audit.grammar import heredoc_parts
from gate.core.audit.nodes import (
    AndOr,
    Block,
    Case,
    Command,
    Function,
    Group,
    If,
    Loop,
    Parameter,
    Part,
    Pipeline,
    Redirect,
    Simple,
    Statement,
    Test,
    Word,
    simple_commands,
)
from gate.core.audit.shell_state import Context, Exits, LoopNotes, State, either, either_exits
from gate.core.audit.values import Values, substitutions

__all__ = ["ShellFlow"]


class ShellFlow:
    def __init__(self) -> None:
        self.hits: dict[tuple[str, int], Hit] = {}
        self.launches: list[Launch] = []
        self.comments: list[Comment] = []
        self.problems: list[str] = []
        self.values = Values()
        self.functions: dict[str, tuple[Function, State]] = {}
        self.called: set[str] = set()
        self._context = Context()
        self._loops: list[LoopNotes] = []
        self._ends: list[list[State]] = [[]]  # for each loop the states at its breaks
        self._returns: list[list[Exits]] = [[]]
        self._found_pids: set[str] = set()  # variables with PIDs that were found by a word

    def simple(self, command: Simple, state: State) -> Exits:
        raise NotImplementedError  # a later class of this line has it: shell_flow, _simple, _builtins, shell

    def hit(self, rule: str, place: Place, message: str) -> None:
        self.hits.setdefault((rule, place.line), Hit(rule=rule, place=place, message=message))

    @contextmanager
    def within(self, context: Context) -> Iterator[None]:
        before, self._context = self._context, context
        try:
            yield
        finally:
            self._context = before

    # ── lists ─────────────────────────────────────────────────────────────────────────────────────
    def block(self, block: Block, state: State) -> Exits:
        exits: Exits = (state, None)
        previous: Statement | None = None
        for statement in block.statements:
            now = self._settled(exits, previous)
            if now is None:
                return None, None
            exits = self._statement(statement, now)
            previous = statement
        return exits

    def _settled(self, exits: Exits, statement: Statement | None) -> State | None:
        """What holds at the next statement: a failure ends the script only under `set -e`, and only a plain one."""
        success, failure = exits
        ends = success is not None and success.errexit and not self._context.unchecked
        if ends and statement is not None and statement.is_plain:
            return success
        return either(success, failure)

    def _statement(self, statement: Statement, state: State) -> Exits:
        if not statement.in_background:
            return self._chain(statement.chain, state)
        with self.within(replace(self._context, background=statement.place)):
            self._chain(statement.chain, state)
        return state, state

    def _chain(self, chain: AndOr, state: State) -> Exits:
        pipelines = [("", chain.first), *chain.rest]
        success: State | None = None
        failure: State | None = None
        for at, (operator, pipeline) in enumerate(pipelines):
            begin = {"": state, "&&": success, "||": failure}[operator]
            exits: Exits = (None, None)
            if begin is not None:
                with self.within(self._condition() if at < len(chain.rest) else self._context):
                    exits = self._pipeline(pipeline, begin)
            if operator == "||":
                success, failure = either(success, exits[0]), exits[1]
            else:
                success, failure = exits[0], either(failure, exits[1])
        return success, failure

    def _condition(self) -> Context:
        return replace(self._context, unchecked=True)

    def _pipeline(self, pipeline: Pipeline, state: State) -> Exits:
        if len(pipeline.commands) > 1:
            self._side_by_side(pipeline.commands, state)
            return state, state
        with self.within(self._condition() if pipeline.is_negated else self._context):
            success, failure = self.command(pipeline.commands[0], state)
        return (failure, success) if pipeline.is_negated else (success, failure)

    def _side_by_side(self, commands: Sequence[Command], state: State) -> None:
        """Each in a subshell of its own: what it holds ends with it."""
        finder = finds_by_word(self._argv(command) for command in commands)
        for at, command in enumerate(commands):
            gets_pids = self._context.gets_pids or (finder is not None and at > finder)
            with self.within(replace(self._context, gets_pids=gets_pids)):
                self.command(command, state)

    def _argv(self, command: Command) -> list[str]:
        return self.values.fields(command.words) if isinstance(command, Simple) else []

    # ── compound commands ─────────────────────────────────────────────────────────────────────────
    def command(self, command: Command, state: State) -> Exits:
        if isinstance(command, Simple):
            return self.simple(command, state)
        if isinstance(command, Function):
            self.functions[command.name] = (command, state)
            return state, None
        self.redirections(command.redirects, state)
        with self.within(self._fed_by(command.redirects)):
            return self._compound(command, state)

    def _fed_by(self, redirects: Sequence[Redirect]) -> Context:
        """`done < <(pgrep whisper)`: PIDs come in."""
        found = any(redirect.target is not None and self.finds_pids(redirect.target.parts) for redirect in redirects)
        return replace(self._context, gets_pids=True) if found else self._context

    def _compound(self, command: Test | Group | If | Loop | Case, state: State) -> Exits:
        if isinstance(command, Group):
            exits = self.block(command.body, state)
            return (state, state) if command.is_subshell else exits
        if isinstance(command, If):
            return self._if(command, state)
        if isinstance(command, Loop):
            return self._loop(command, state)
        if isinstance(command, Case):
            return self._case(command, state)
        self.expansions(command.words, state)
        return state, state

    def _if(self, command: If, state: State) -> Exits:
        ends: list[Exits] = []
        begin: State | None = state
        for condition, body in command.branches:
            if begin is None:
                break
            with self.within(self._condition()):
                success, failure = self.block(condition, begin)
            if success is not None:
                ends.append(self.block(body, success))
            begin = failure
        if begin is not None:
            ends.append((begin, None) if command.otherwise is None else self.block(command.otherwise, begin))
        return either_exits(ends) if ends else (None, None)

    def _case(self, command: Case, state: State) -> Exits:
        self.expansions([command.word], state)
        ends = [self.block(branch, state) for branch in command.branches]
        if not command.has_default:
            ends.append((state, None))
        return either_exits(ends) if ends else (state, None)

    def _loop(self, loop: Loop, state: State) -> Exits:
        self.expansions(loop.words, state)
        self.values.forget(loop.variable)
        if loop.variable and any(self.finds_pids(word.parts) for word in loop.words):
            self._found_pids.add(loop.variable)
        self._loops.append(LoopNotes(place=loop.place, writes=any(map(self.is_write, loop.redirects))))
        after, again = self._round(loop, state)
        if again is not None and again != state:  # the next round may begin in another state
            second = either(state, again) or state
            after = either(after, self._round(loop, second)[0])
        self._loop_left(self._loops.pop())
        return after, after

    def _round(self, loop: Loop, state: State) -> tuple[State | None, State | None]:
        """After the loop, and at the begin of its next round."""
        self._ends.append([])
        enters: State | None = state
        leaves: State | None = state
        if loop.condition is not None:
            with self.within(self._condition()):
                success, failure = self.block(loop.condition, state)
            enters, leaves = (failure, success) if loop.is_until else (success, failure)
        exits: Exits = (None, None) if enters is None else self.block(loop.body, enters)
        again = either(*exits)
        ends = self._ends.pop()
        last = again if loop.condition is None else None  # a `for` ends after its last round
        return either(leaves, last, *ends), again

    def _loop_left(self, notes: LoopNotes) -> None:
        if notes.kept is not None and not notes.writes:
            message = "Results are put together in a variable, and nothing in the loop writes one to disk."
            self.hit("J5A006", notes.kept, message)

    # ── for the subclass ──────────────────────────────────────────────────────────────────────────
    def is_write(self, redirect: Redirect) -> bool:
        """Its target is a file that takes what the command prints."""
        if redirect.operator not in (">", ">>", ">|", "&>", "&>>") or redirect.descriptor not in ("", "1"):
            return False
        return self.values.text(redirect.target) != "/dev/null"

    def finds_pids(self, parts: Sequence[Part]) -> bool:
        """A part of it is PIDs that were found by a word."""
        if any(isinstance(part, Parameter) and part.name in self._found_pids for part in parts):
            return True
        bodies = (part.body for part in substitutions(parts))
        return any(finds_by_word(map(self._argv, simple_commands(body))) is not None for body in bodies)

    def expansions(self, words: Sequence[Word], state: State) -> None:
        """Run the command substitutions in the words; what they hold ends with them."""
        for word in words:
            self.expand(word.parts, state)

    def expand(self, parts: Sequence[Part], state: State) -> None:
        for substitution in substitutions(parts):
            self.block(substitution.body, state)

    def redirections(self, redirects: Sequence[Redirect], state: State) -> None:
        for redirect in redirects:
            self.expand(_parts_of(redirect), state)


def _parts_of(redirect: Redirect) -> Sequence[Part]:
    """What a redirection expands: its target, or its here-document when that is not quoted."""
    if redirect.heredoc is not None and not redirect.heredoc.is_quoted:
        return heredoc_parts(redirect.heredoc)
    return () if redirect.target is None else redirect.target.parts
