"""Writes fables: the text the shipped model is trained on. All of it is made here.

    python tools/fables.py 3

A grammar of a few sentences with animals, things and places in them; a seed gives the same
fables everywhere.
"""

import re
import sys
from collections.abc import Iterator

ANIMALS = [
    "fox",
    "hen",
    "bear",
    "mouse",
    "owl",
    "frog",
    "hare",
    "crow",
    "wolf",
    "duck",
    "goat",
    "bee",
    "cat",
    "dog",
    "otter",
    "snail",
]
NAMES = [
    "Tom",
    "Ann",
    "Mia",
    "Ben",
    "Lily",
    "Sam",
    "Rosa",
    "Max",
    "Ida",
    "Otto",
    "Nell",
    "Finn",
    "Pip",
    "Zoe",
    "Leo",
    "Ada",
]
KINDS = [
    "small",
    "old",
    "young",
    "quiet",
    "proud",
    "clever",
    "lazy",
    "brave",
    "hungry",
    "gentle",
]
PLACES = [
    "forest", "river", "garden", "village", "mountain", "meadow", "harbour", "barn", "mill",
    "lake",
]  # fmt: skip
THINGS = [
    "lamp", "key", "apple", "clock", "bell", "boat", "book", "coat", "drum", "kite", "stone",
    "basket", "mirror", "feather",
]  # fmt: skip
COLOURS = ["red", "blue", "green", "golden", "silver", "white", "black", "yellow"]
WEATHER = ["the sun was warm", "it rained all day", "the wind was cold", "the snow lay deep",
           "the fog was thick", "the stars were bright"]  # fmt: skip
TIMES = ["One morning", "One evening", "At noon", "In the spring", "In the winter", "One day"]
FEELINGS = ["happy", "sad", "tired", "glad", "afraid", "proud", "sorry", "surprised"]

OPENINGS = [
    "Once upon a time there was a {k} {a} who lived by the {p}. {t} {w}.",
    "A {k} {a} called {n} lived near the {p}. {t} {w}.",
    "Long ago a {k} {a} and a {l} {b} lived by the same {p}. {t} {w}.",
    "{t} a {k} {a} went to the {p}, where {w}.",
]
TROUBLES = [
    "The {a} had lost a {c} {o} and looked for it everywhere.",
    "The {a} found a {c} {o} and did not want to share it.",
    "The {a} wanted the {c} {o} that belonged to the {b}.",
    "The {a} told everybody that the {o} was made of gold, but it was not true.",
    "The {a} tried to carry the {c} {o} across the {p} alone, and it was too heavy.",
]
MEETINGS = [
    'Then a {l} {b} came along the road. "Why are you so {f}?" asked the {b}.',
    'The {b} saw it and said, "I will help you, if you help me too."',
    'A {l} {b} sat under a tree and laughed. "You are very {f} today," it said.',
    '"Have you seen my {o}?" the {a} asked the {b}. "I saw it by the {q}," said the {b}.',
]
TURNS = [
    "So they went to the {q} together and talked all the way.",
    "They waited until the evening, but nobody came.",
    "The {a} thought about it for a long time and then said yes.",
    "But the {a} would not listen and ran to the {q}.",
    "In the night the {a} heard a noise, and there was the {o}, by the {q}.",
]
ENDINGS = [
    "In the end they shared the {o}, and both were {f}.",
    "The {a} gave the {c} {o} back, and the {b} was {f}.",
    "When the {b} opened the door, the {o} lay on the table.",
    "From that day on the {a} and the {b} were friends.",
    "The {o} fell into the water, and nobody ever saw it again.",
]
MORALS = [
    "What you share grows.", "Who counts twice errs less.", "A friend is worth more than gold.",
    "Small steps also cross the {p}.", "Nobody trusts a {a} who does not tell the truth.",
    "Wait, look, and then speak.", "What was not measured should not be said.",
]  # fmt: skip


class Chance:
    """The minimal standard generator of Park and Miller (1988)."""

    def __init__(self, seed: int) -> None:
        self._state = seed % 2_147_483_646 + 1

    def pick(self, choices: list[str]) -> str:
        """One of `choices`."""
        self._state = self._state * 48_271 % 2_147_483_647
        return choices[self._state * len(choices) // 2_147_483_647]


def fables(seed: int) -> Iterator[str]:
    """Endlessly many, one line each."""
    chance = Chance(seed)
    while True:
        names = {
            "k": chance.pick(KINDS), "l": chance.pick(KINDS), "n": chance.pick(NAMES),
            "c": chance.pick(COLOURS), "o": chance.pick(THINGS), "w": chance.pick(WEATHER),
            "t": chance.pick(TIMES), "f": chance.pick(FEELINGS),
        }  # fmt: skip
        names["a"] = chance.pick(ANIMALS)
        names["b"] = chance.pick([one for one in ANIMALS if one != names["a"]])
        names["p"] = chance.pick(PLACES)
        names["q"] = chance.pick([one for one in PLACES if one != names["p"]])
        parts = [OPENINGS, TROUBLES, MEETINGS, TURNS, ENDINGS, MORALS]
        text = " ".join(chance.pick(part).format(**names) for part in parts)
        yield re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


if __name__ == "__main__":
    told = fables(int(sys.argv[2]) if len(sys.argv) > 2 else 1)  # noqa: PLR2004
    for _ in range(int(sys.argv[1])):
        sys.stdout.write(next(told) + "\n")
