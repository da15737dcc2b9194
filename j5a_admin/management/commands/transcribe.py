"""`manage.py transcribe FILE…`: option names as whisper's own command has them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from tqdm import tqdm

from j5a_admin import first_run
from j5a_admin.claims import DataUnusable
from transcribe.abilities import abilities_check
from transcribe.catalog import language_code
from transcribe.commandline import EXIT_FAILED, CommandControl, Order, formats_of, run_order
from transcribe.disk import database_trouble
from transcribe.errors import ModelUnknown, OptionsInvalid
from transcribe.models import Job
from transcribe.names import stem_of
from transcribe.options import NOT_TAKEN, OPTION_SPECS, DecodingOptions
from transcribe.resolve import model_value
from transcribe.transcript import FORMATS


class Command(BaseCommand):
    help = "Transcribe files through the same gate, lock and engine as the panel, with or without it running."
    requires_system_checks = ["j5a"]  # the panel's own; Django's would import every page

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="audio or video files")
        parser.add_argument(
            "--model",
            default=settings.DEFAULT_MODEL,
            help="a whisper model's name, demo, or a checkpoint's path",
        )
        parser.add_argument("--language", default=None, help="language code or name; left out: detect")
        parser.add_argument("--output_dir", "-o", type=Path, default=Path(), help="where to write (default: here)")
        parser.add_argument("--output_format", "-f", default="all", choices=[*FORMATS, "all"])
        parser.add_argument(
            "--no-wait",
            action="store_true",
            help="when the gate says no, end with exit code 75 instead of waiting",
        )
        group = parser.add_argument_group("decoding options (names and defaults of whisper's own command)")
        for spec in OPTION_SPECS:
            group.add_argument(
                f"--{spec.name}", default=argparse.SUPPRESS, help=f"{spec.help} (default: {spec.default})"
            )

        for name in NOT_TAKEN:
            parser.add_argument(f"--{name}", nargs="?", action=_NotTaken, help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = self._transcribe(options)
        except DataUnusable:
            raise
        except DatabaseError as problem:
            self._say(f"{database_trouble(problem)} What was finished is kept; the panel's worker goes on with it.")
            code = EXIT_FAILED
        sys.exit(code)

    def _transcribe(self, options: dict[str, Any]) -> int:
        first_run.directories_make()
        first_run.database_migrate(self._say)
        order = _order(options)
        bar = _Bar()
        code = run_order(order, CommandControl(bar.show), say=bar.write)
        bar.close()
        return code

    def _say(self, line: str) -> None:
        self.stderr.write(line)


def _order(options: dict[str, Any]) -> Order:
    """Check everything before the first file is touched; a usage error ends with exit code 2."""
    files: tuple[Path, ...] = tuple(options["files"])
    stems = [stem_of(file.name) for file in files]
    for stem in stems:
        if stems.count(stem) > 1:
            _usage(f"Two files would both be written to {stem}.…: transcribe them to different --output_dir.")
    language = "" if options["language"] in (None, "None") else language_code(options["language"])
    if language is None:
        _usage(f"Whisper does not know the language “{options['language']}”.")
    given = {spec.name: options[spec.name] for spec in OPTION_SPECS if spec.name in options}
    try:
        model, decoding = model_value(options["model"]), DecodingOptions.from_mapping(given)
        abilities_check(model, language=language or "", task=decoding.task)
        return Order(
            files=files,
            model=model,
            language=language or "",
            options=decoding,
            output_dir=options["output_dir"],
            formats=formats_of(options["output_format"]),
            wait=not options["no_wait"],
        )
    except (ModelUnknown, OptionsInvalid) as error:
        _usage(str(error))
        raise


def _usage(message: str) -> None:
    sys.stderr.write(f"transcribe: {message}\n")
    sys.exit(2)


class _NotTaken(argparse.Action):
    """An option of whisper's command that this one does not have: a usage error that says what to do."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        _usage(f"--{self.dest} is not taken: {NOT_TAKEN[self.dest]}.")


class _Bar:
    """One progress bar for the file in hand, in seconds of audio, on stderr."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._job_id: int | None = None

    def show(self, job: Job) -> None:
        if self._job_id != job.pk:
            self.close()
            self._job_id = job.pk
            self._bar = tqdm(
                total=round(job.duration_seconds), unit="s", desc=job.title[:30], file=sys.stderr, disable=None
            )
        assert self._bar is not None  # noqa: S101 - made above
        self._bar.set_postfix_str(job.activity)
        self._bar.update(round(job.position_seconds) - self._bar.n)

    def write(self, line: str) -> None:
        tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
