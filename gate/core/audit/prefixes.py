"""Commands that start another command: `nice`, `timeout 60`, `bash -c`, `xargs`, `manage.py gate run --` …"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = [
    "Fanout",
    "GateRun",
    "Inner",
    "ShellText",
    "base_name",
    "fanout",
    "find_commands",
    "gate_run",
    "is_python",
    "python_text",
    "reads_commands_from_stdin",
    "shell_text",
    "unwrapped",
    "word_set",
]

SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash"})
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, kw_only=True, slots=True)
class _Prefix:
    """`values`: options with a value behind them. `operands`: how many words stand before the command."""

    values: frozenset[str] = frozenset()
    operands: int = 0
    subcommands: frozenset[str] = frozenset()
    only_asks: frozenset[str] = frozenset()  # with these it starts nothing
    detaches: frozenset[str] = frozenset()  # with these it does not wait for the command


def _prefix(
    values: str = "", *, operands: int = 0, subcommands: str = "", asks: str = "", detaches: str = ""
) -> _Prefix:
    return _Prefix(
        values=word_set(values),
        operands=operands,
        subcommands=word_set(subcommands),
        only_asks=word_set(asks),
        detaches=word_set(detaches),
    )


# From the manual pages of coreutils 9, util-linux 2.38, procps 4, sudo 1.9, GNU time, GNU screen, uv, conda.
_PREFIXES = {
    "builtin": _prefix(),
    "caffeinate": _prefix("-t -w"),
    "chronic": _prefix(),
    "chrt": _prefix("-T -P -D", operands=1),
    "command": _prefix(asks="-v -V"),
    "conda": _prefix("-n --name -p --prefix", subcommands="run"),
    "cpulimit": _prefix("-l --limit -p --pid -e --exe"),
    "doas": _prefix("-u -C"),
    "env": _prefix("-u --unset -C --chdir"),
    "exec": _prefix("-a"),
    "flock": _prefix("-w --wait --timeout -E --conflict-exit-code", operands=1),
    "hatch": _prefix("-e --env", subcommands="run"),
    "ionice": _prefix("-c --class -n --classdata", asks="-p -P -u"),
    "mamba": _prefix("-n --name -p --prefix", subcommands="run"),
    "micromamba": _prefix("-n --name -p --prefix", subcommands="run"),
    "nice": _prefix("-n --adjustment"),
    "noglob": _prefix(),
    "nohup": _prefix(),
    "numactl": _prefix("-m -N -C -i"),
    "pdm": _prefix(subcommands="run"),
    "pipenv": _prefix(subcommands="run"),
    "pipx": _prefix("--spec --python", subcommands="run"),
    "poetry": _prefix(subcommands="run"),
    "prlimit": _prefix(asks="-p"),
    "screen": _prefix("-S -c -e -h -p -s -t -T -L -Logfile -dmS", asks="-ls -list -r -x -X", detaches="-d -D -dm -dmS"),
    "setsid": _prefix(detaches="-f --fork"),
    "stdbuf": _prefix("-i --input -o --output -e --error"),
    "strace": _prefix("-o -e -p -s -u -E"),
    "sudo": _prefix(
        "-u --user -g --group -h --host -p --prompt -C -D -R -T -U -r -t", asks="-l -v -e -k", detaches="-b"
    ),
    "systemd-run": _prefix("-p --property -u --unit -M -E --setenv -d --working-directory"),
    "taskset": _prefix(operands=1, asks="-p -pc"),
    "time": _prefix("-f --format -o --output"),
    "timeout": _prefix("-k --kill-after -s --signal", operands=1),
    "unbuffer": _prefix(),
    "uv": _prefix("--with --python -p --project", subcommands="run"),
    "uvx": _prefix("--with --from --python -p"),
}
# Waits only with one of these.
_SYSTEMD_WAITS = frozenset({"--wait", "--scope", "--pty", "-t", "-P", "--pipe"})
_TAKE_TEXT = {"su": "-c", "runuser": "-c", "script": "-c", "sg": "-c", "flock": "-c"}
_XARGS_VALUES = word_set("-P -n -I -L -d -E -s -a --max-args --max-lines --max-chars --delimiter --arg-file")
_PARALLEL_VALUES = word_set(
    "-j -P -N -n -L -a -S -I -C --jobs --max-procs --arg-file --joblog --colsep --results --delay --timeout "
    "--retries --memfree --load --nice --tmpdir --workdir --wd --tagstring --halt --id --semaphore-name"
)
_GATE_RUN_VALUES = frozenset({"--model", "--settings", "--pythonpath", "-v", "--verbosity"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    """The command behind a prefix. `detaches`: nobody waits for it."""

    argv: tuple[str, ...]
    detaches: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ShellText:
    """Text that a shell runs, and its `$1 $2 …` when they are known."""

    text: str
    positional: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GateRun:
    """The command behind `gate run`, and the model that is named to the gate; empty: the command's own."""

    argv: tuple[str, ...]
    model: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fanout:
    """One command started for many inputs. `workers`: how many side by side; None: as many as there are cores."""

    workers: str | None
    argv: tuple[str, ...] = ()
    text: str = ""


def base_name(word: str) -> str:
    return PurePosixPath(word).name


def is_python(word: str) -> bool:
    return _PYTHON.fullmatch(base_name(word)) is not None


def unwrapped(argv: Sequence[str]) -> Inner | None:
    """The command that this prefix starts; None when it is no prefix, or starts nothing."""
    name = base_name(argv[0])
    prefix = _PREFIXES.get(name)
    if prefix is None:
        return None
    rest = list(argv[1:])
    if prefix.subcommands and (not rest or rest.pop(0) not in prefix.subcommands):
        return None
    options = _options(rest, prefix.values)
    if prefix.only_asks.intersection(options):
        return None
    while rest and name in ("env", "sudo", "doas") and _ASSIGNMENT.fullmatch(rest[0]):
        rest.pop(0)
    del rest[: prefix.operands]
    if rest[:1] == ["--"]:
        rest.pop(0)
    detaches = bool(prefix.detaches.intersection(options))
    if name == "systemd-run":
        detaches = not _SYSTEMD_WAITS.intersection(options)
    return Inner(argv=tuple(rest), detaches=detaches)


def shell_text(argv: Sequence[str]) -> ShellText | None:
    """What `bash -c TEXT`, `su -c TEXT`, `eval TEXT` run."""
    name = base_name(argv[0])
    if name == "eval":
        return ShellText(text=" ".join(argv[1:]))
    if name in SHELLS:
        return _text_of_shell(argv[1:])
    if name == "tmux":
        return _text_of_tmux(argv[1:])
    option = _TAKE_TEXT.get(name)
    if option is None or option not in argv[:-1]:
        return None
    return ShellText(text=argv[list(argv).index(option) + 1])


def reads_commands_from_stdin(argv: Sequence[str]) -> bool:
    """`bash`, `bash -s one two`, `python - one`: what comes on their standard input is run."""
    if base_name(argv[0]) not in SHELLS and not is_python(argv[0]):
        return False
    rest = list(argv[1:])
    while rest and rest[0].startswith("-") and rest[0] not in ("-", "--"):
        option = rest.pop(0)
        if "s" in option and not is_python(argv[0]):
            return True
        if option in ("-c", "-m"):
            return False
        if option in ("-o", "-W", "-X"):
            del rest[:1]
    return not rest or rest[0] == "-"


def python_text(argv: Sequence[str]) -> str | None:
    """What `python -c TEXT` runs."""
    if not is_python(argv[0]):
        return None
    rest = list(argv[1:])
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in ("-W", "-X"):
            del rest[:1]
        elif re.fullmatch(r"-[a-zA-Z]*c", option):
            return rest[0] if rest else None
        elif "m" in option:
            return None
    return None


def gate_run(argv: Sequence[str]) -> GateRun | None:
    """The command behind `manage.py gate run [options] --`."""
    for at, word in enumerate(argv):
        if base_name(word) in ("manage.py", "django-admin") and list(argv[at + 1 : at + 3]) == ["gate", "run"]:
            rest = list(argv[at + 3 :])
            options = _options(rest, _GATE_RUN_VALUES)
            return GateRun(argv=tuple(rest), model=_long_value(options, "--model"))
    return None


def fanout(argv: Sequence[str]) -> Fanout | None:
    """What xargs and GNU parallel start, and how many at once."""
    name = base_name(argv[0])
    rest = list(argv[1:])
    if name == "xargs":
        options = _options(rest, _XARGS_VALUES)
        return Fanout(workers=_value(options, "-P", "--max-procs", "P") or "1", argv=tuple(rest))
    if name in ("parallel", "sem"):
        options = _options(rest, _PARALLEL_VALUES)
        text = " ".join(_before(rest, (":::", "::::", ":::+", "::::+")))
        workers = _value(options, "-j", "--jobs", "j") or _value(options, "-P", "--max-procs", "P")
        return Fanout(workers=workers or ("1" if name == "sem" else None), text=text)
    return None


def find_commands(argv: Sequence[str]) -> list[tuple[str, ...]]:
    """What `find … -exec COMMAND ;` starts."""
    if base_name(argv[0]) != "find":
        return []
    starts = [at + 1 for at, word in enumerate(argv) if word in ("-exec", "-execdir", "-ok", "-okdir")]
    return [tuple(_before(argv[start:], (";", "+"))) for start in starts]


# ── options ──────────────────────────────────────────────────────────────────────────────────────
def _options(rest: list[str], values: frozenset[str]) -> list[str]:
    """Take the options, and their values, from the front; a value follows its option in the answer."""
    options: list[str] = []
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        option = rest.pop(0)
        if option == "--":
            break
        options.append(option)
        if option in values and rest:
            options.append(rest.pop(0))
    return options


def _value(options: Sequence[str], short: str, long: str, letter: str) -> str | None:
    """The value of an option, written `-P 4`, `-P4`, `--max-procs 4` or `--max-procs=4`."""
    for at, option in enumerate(options):
        if option in (short, long):
            return options[at + 1] if at + 1 < len(options) else None
        if option.startswith(long + "="):
            return option.partition("=")[2]
        if (bundle := re.fullmatch(rf"-[0rtx]*{letter}(.+)", option)) is not None:
            return bundle[1]
    return None


def _long_value(options: Sequence[str], name: str) -> str:
    """The last one counts, as in Python's argument parser."""
    found = ""
    for at, option in enumerate(options):
        if option == name and at + 1 < len(options):
            found = options[at + 1]
        elif option.startswith(name + "="):
            found = option.partition("=")[2]
    return found


def _before(words: Sequence[str], ends: Iterable[str]) -> list[str]:
    marks = frozenset(ends)
    end = next((at for at, word in enumerate(words) if word in marks), len(words))
    return list(words[:end])


def _text_of_shell(arguments: Sequence[str]) -> ShellText | None:
    rest = list(arguments)
    has_text = False
    while rest and rest[0][:1] in ("-", "+") and len(rest[0]) > 1:
        option = rest.pop(0)
        has_text |= re.fullmatch(r"-[A-Za-z]*c[A-Za-z]*", option) is not None
        if re.fullmatch(r"[-+][A-Za-z]*o|--rcfile|--init-file", option):
            del rest[:1]
    if not has_text or not rest:
        return None
    return ShellText(text=rest[0], positional=tuple(rest[2:]))


def _text_of_tmux(arguments: Sequence[str]) -> ShellText | None:
    rest = list(arguments)
    _options(rest, frozenset({"-L", "-S", "-f"}))
    if not rest or rest.pop(0) not in ("new", "new-session", "neww", "new-window", "splitw", "split-window"):
        return None
    _options(rest, frozenset({"-s", "-n", "-c", "-x", "-y", "-t", "-e", "-F", "-l"}))
    return ShellText(text=" ".join(rest))
