"""What the decoder should write for a window of audio, in the form which whisper's seek logic resolves.

`whisper/decoding.py` (ApplyTimestampRules) and `whisper/transcribe.py` leave these forms:

* A segment is `<|t0|> words <|t1|>`. When the text ends with one timestamp, whisper goes on 30 s later; when it
  ends with two, it goes on at the first of the two. So an utterance which the window cuts gets only its start,
  `... <|t1|><|t2|>`, and is read again, whole, in the next window.
* The first timestamp may be at most 1.00 s (max_initial_timestamp) and must be followed by text. A window whose
  speech begins later starts with a segment whose text is a single space, `<|0.00|> ' ' <|t|><|t|> words ...`:
  whisper clears a segment without words, and the speech keeps its true start.
* A window without speech is <|nospeech|> at the place of <|startoftranscript|>, then `<|0.00|>` and the end.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from tools.demo_model.words import BLANK, EOT, NO_TIMESTAMPS, SOT, SOT_PREV, TIMESTAMP, WORD_TOKENS, WORDS

TICK_S: Final = 0.02  # one timestamp token
MAX_INITIAL_S: Final = 1.0  # whisper's max_initial_timestamp
# Windows begin where the model heard the previous utterance end, so up to three ticks of it may be left over.
EDGE_S: Final = 0.06
# An utterance is complete only if this much of the window follows it: otherwise more words might come.
COMPLETE_S: Final = 0.2
# An utterance which begins this close to the window's end is left to the next window.
LATE_S: Final = 0.1
MAX_PROMPT: Final = 223  # whisper keeps n_text_ctx // 2 - 1 tokens of previous text


@dataclass(frozen=True)
class Heard:
    """An utterance in window time (seconds; may begin before 0 or end after the window)."""

    start: float
    end: float
    words: tuple[str, ...]
    word_starts: tuple[float, ...]

    def words_within(self, begin: float, end: float) -> tuple[tuple[str, ...], float]:
        """The words which lie wholly between begin and end, and where the last of them ends."""
        ends = (*self.word_starts[1:], self.end)
        inside = [i for i, s in enumerate(self.word_starts) if s >= begin - EDGE_S and ends[i] <= end + TICK_S]
        return tuple(self.words[i] for i in inside), ends[inside[-1]] if inside else begin


@dataclass
class Target:
    """tokens: SOT (after an optional prompt) to EOT; silent: no speech in the window; timed: with timestamps."""

    tokens: list[int] = field(default_factory=list)
    silent: bool = False
    timed: bool = True


def timestamp(seconds: float, offset: int) -> int:
    """The timestamp token; offset in ticks is where the window stands in the encoder's 30 s."""
    return TIMESTAMP + min(max(round(seconds / TICK_S) + offset, 0), 1500)


def word_tokens(words: tuple[str, ...]) -> list[int]:
    return [token for word in words for token in WORD_TOKENS[word]]


Piece = tuple[float, float, tuple[str, ...]]  # start, end, words


def segments_in(heard: list[Heard], content_s: float, window_s: float) -> tuple[list[Piece], float | None] | None:
    """Segments (start, end, words) of a window and the start of a cut utterance; None if it has no good target.

    content_s < window_s means that the recording ends there.
    """
    at_end = content_s < window_s
    segments: list[Piece] = []
    for h in heard:
        if h.end <= EDGE_S or h.start >= content_s - (0.0 if at_end else LATE_S):
            continue
        begins_inside = h.start < -EDGE_S
        start = max(h.start, 0.0)
        if h.end <= content_s - (-TICK_S if at_end else COMPLETE_S):
            words = h.words_within(0.0, h.end)[0] if begins_inside else h.words
            if words:
                segments.append((start, min(h.end, content_s), words))
        elif at_end:
            words, last = h.words_within(0.0, content_s)
            if words:
                segments.append((start, min(last, content_s), words))
        elif segments or start > MAX_INITIAL_S:
            return segments, start
        else:  # the utterance fills the window: the words up to the cut, and the next window begins after them
            words, last = h.words_within(0.0, content_s - COMPLETE_S)
            if not words:
                return None
            return [(start, last, words)], last
    return segments, None


def make_target(heard: list[Heard], content_s: float, window_s: float, offset: int, timed: bool) -> Target | None:
    """The tokens from SOT to EOT; None for a window which whisper would never get and which has no good target."""
    if not timed:
        words = [w for h in heard for w in h.words_within(0.0, content_s)[0] if h.end > EDGE_S]
        tokens = [SOT, NO_TIMESTAMPS, *word_tokens(tuple(words)), EOT]
        return Target(tokens, silent=not words, timed=False)
    found = segments_in(heard, content_s, window_s)
    if found is None:
        return None
    segments, cut = found
    starts = [s[0] for s in segments] + ([cut] if cut is not None else [])
    if not starts:
        return Target([SOT, timestamp(0.0, offset), EOT], silent=True)
    tokens = [SOT]
    if starts[0] > MAX_INITIAL_S:
        tokens += [timestamp(0.0, offset), BLANK, timestamp(starts[0], offset)]
    for start, end, said in segments:
        first = timestamp(start, offset)
        tokens += [first, *word_tokens(said), max(timestamp(end, offset), first + 1)]
    if cut is not None:
        tokens.append(timestamp(cut, offset))
    return Target([*tokens, EOT])


def random_prompt(rng: random.Random, length: int, timed: bool) -> list[int]:
    """SOT_PREV and `length` tokens of previous text as whisper keeps them: the last ones, cut anywhere.

    The words are random: the model must learn that what was said before does not tell what is said now.
    """
    if length == 0:
        return []
    tokens: list[int] = []
    time = rng.uniform(0, 3)
    while len(tokens) < length + 40:  # 40: more than one segment, so that the cut falls anywhere in it
        words = tuple(rng.choices(WORDS, k=rng.randint(1, 7)))
        end = time + 0.1 + len(words) * rng.uniform(0.25, 0.5)
        if end > 29.8:  # the next window
            time = rng.uniform(0, 1.5)
            continue
        if timed:
            tokens += [timestamp(time, 0), *word_tokens(words), timestamp(end, 0)]
        else:
            tokens += word_tokens(words)
        time = end + 0.3 + rng.expovariate(1.5)
    end_at = len(tokens) - rng.randint(0, 12) * (rng.random() < 0.2)
    return [SOT_PREV, *tokens[end_at - length : end_at]]
