"""The demo model's vocabulary and the token numbers of OpenAI's English tokenizer which it uses.

The token numbers are those of `whisper.tokenizer.get_tokenizer(multilingual=False)`; they are written down
here so that the tests can import this module without torch or whisper. `check_tokens` compares them.
"""

from __future__ import annotations

from typing import Final

# Forty words: the ten digits and words of the project's world.  No homophones and no pair which differs only
# in a weak consonant ("free" is out because of "three", "wait" because "queue wait" is "queue eight").
# Value: GPT-2 byte pairs of the word with a leading space.
WORD_TOKENS: Final[dict[str, tuple[int, ...]]] = {
    "zero": (6632,), "one": (530,), "two": (734,), "three": (1115,), "four": (1440,),
    "five": (1936,), "six": (2237,), "seven": (3598,), "eight": (3624,), "nine": (5193,),
    "gate": (8946,), "lock": (5793,), "memory": (4088,), "model": (2746,), "heat": (4894,),
    "fan": (4336,), "job": (1693,), "queue": (16834,), "chunk": (16058,), "audio": (6597,),
    "safe": (3338,), "stop": (2245,), "start": (923,), "retry": (1005, 563), "worker": (8383,),
    "machine": (4572,), "night": (1755,), "whisper": (31992,), "done": (1760,), "speech": (4046,),
    "window": (4324,), "cancel": (14241,), "result": (1255,), "upload": (9516,), "signal": (6737,),
    "open": (1280,), "error": (4049,), "disk": (11898,), "backup": (11559,), "python": (21015,),
}  # fmt: skip
WORDS: Final[tuple[str, ...]] = tuple(WORD_TOKENS)

# Special tokens of the English-only vocabulary (51864 entries).
N_VOCAB: Final = 51864
BLANK: Final = 220  # the token of a single space: the text of a segment without words, see windows.py
EOT: Final = 50256  # <|endoftext|>
SOT: Final = 50257  # <|startoftranscript|>; English-only models have no language and task tokens after it
SOT_PREV: Final = 50360  # <|startofprev|>: what follows, up to SOT, is the previous text
NO_SPEECH: Final = 50361
NO_TIMESTAMPS: Final = 50362
TIMESTAMP: Final = 50363  # <|0.00|>; then one token per 20 ms
N_TIMESTAMPS: Final = 1501  # <|0.00|> ... <|30.00|>


def check_tokens() -> None:
    """Raise ValueError unless the numbers above are those of the installed whisper tokenizer."""
    from whisper.tokenizer import get_tokenizer

    tokenizer = get_tokenizer(multilingual=False)
    expected = {
        "blank": (tokenizer.encode(" "), [BLANK]),
        "eot": (tokenizer.eot, EOT),
        "sot": (tokenizer.sot_sequence, (SOT,)),
        "sot_prev": (tokenizer.sot_prev, SOT_PREV),
        "no_speech": (tokenizer.no_speech, NO_SPEECH),
        "no_timestamps": (tokenizer.no_timestamps, NO_TIMESTAMPS),
        "timestamp_begin": (tokenizer.timestamp_begin, TIMESTAMP),
    }
    for word, tokens in WORD_TOKENS.items():
        expected[word] = (tuple(tokenizer.encode(" " + word)), tokens)
    wrong = {name: pair for name, pair in expected.items() if pair[0] != pair[1]}
    if wrong or BLANK in tokenizer.non_speech_tokens:
        raise ValueError(f"the whisper tokenizer differs from words.py: {wrong}")
