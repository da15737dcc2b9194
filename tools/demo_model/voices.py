"""Which espeak-ng voices, speeds and pitches train the model, and which are kept back for measuring it.

A voice is an accent ("en-us") with a variant ("f3", which changes formants, voicing and pitch range).
No held-out variant, speed or pitch occurs in training, with any accent.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

# Accents of English in Debian's espeak-ng 1.51, with the weight of each in training.
ACCENTS: Final[dict[str, int]] = {
    "en-us": 5, "en-gb": 4, "en-gb-x-rp": 2, "en-gb-scotland": 2,
    "en-029": 1, "en-gb-x-gbclan": 1, "en-gb-x-gbcwmd": 1, "en-us-nyc": 1,
}  # fmt: skip

# "" is the plain voice, which most people will try; it is drawn six times as often as one variant.
TRAIN_VARIANTS: Final[tuple[str, ...]] = (
    "", "", "", "", "", "",
    "m1", "m2", "m4", "m5", "m6", "m7", "f1", "f2", "f4", "f5",
    "adam", "Alex", "Alicia", "Andrea", "Andy", "antonio", "aunty", "belinda", "boris", "caleb",
    "Denis", "Diogo", "ed", "edward", "edward2", "Gene", "Gene2", "gustave", "grandma", "grandpa",
    "Henrique", "Hugo", "iven", "iven2", "iven4", "john", "kaukovalta", "klatt", "klatt2", "klatt4",
    "Lee", "marcelo", "Marco", "Mario", "max", "michel", "miguel", "Mike", "pablo", "paul",
    "quincy", "rob", "robert", "sandro", "shelby", "steph2", "steph3", "travis", "victor", "zac",
)  # fmt: skip
HELD_OUT_VARIANTS: Final[tuple[str, ...]] = (
    "m3", "m8", "f3", "benjamin", "david", "linda", "Michael", "norbert", "steph", "Annie", "pedro", "Jacky",
)  # fmt: skip
# Accents of the held-out voices: the four most usual ones.
HELD_OUT_ACCENTS: Final[tuple[str, ...]] = ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland")

# Words per minute (espeak -s, default 175) and pitch (espeak -p, default 50).
HELD_OUT_SPEEDS: Final[tuple[int, ...]] = (*range(136, 145), *range(158, 167), *range(184, 193))
HELD_OUT_PITCHES: Final[tuple[int, ...]] = (*range(36, 43), *range(56, 63))
TRAIN_SPEEDS: Final[tuple[int, ...]] = tuple(s for s in range(115, 216) if s not in HELD_OUT_SPEEDS)
TRAIN_PITCHES: Final[tuple[int, ...]] = tuple(p for p in range(18, 83) if p not in HELD_OUT_PITCHES)


@dataclass(frozen=True)
class Voice:
    """One way of speaking: espeak voice name, words per minute, pitch and pitch range (0..99)."""

    name: str
    speed: int
    pitch: int
    pitch_range: int = 50


def training_voice(rng: random.Random) -> Voice:
    """A random voice of the training set."""
    accent = rng.choices(list(ACCENTS), weights=list(ACCENTS.values()))[0]
    variant = rng.choice(TRAIN_VARIANTS)
    name = f"{accent}+{variant}" if variant else accent
    return Voice(name, rng.choice(TRAIN_SPEEDS), rng.choice(TRAIN_PITCHES), rng.randint(35, 65))


def held_out_voice(rng: random.Random) -> Voice:
    """A random voice whose variant, speed and pitch are all absent from the training set."""
    name = f"{rng.choice(HELD_OUT_ACCENTS)}+{rng.choice(HELD_OUT_VARIANTS)}"
    return Voice(name, rng.choice(HELD_OUT_SPEEDS), rng.choice(HELD_OUT_PITCHES))
