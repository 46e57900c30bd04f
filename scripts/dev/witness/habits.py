"""Scripted models with known habits, which answer the questions of both protocols about clips with known truth."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from motion_gating.judges.answers import PROMPT
from motion_gating.judges.protocols.evidence import CHECK, DESCRIBE, EVENTS, NO, PICK, REVERSED, RIGHT, WRONG, YES
from motion_rep.describing.body_signals import LEFT
from motion_rep.describing.body_signals import RIGHT as RIGHT_SIDE

# The last sentence of each question, by which a witness recognises the kind of question.
KINDS = {"match": PROMPT, "description": DESCRIBE, "pick": PICK, "events": EVENTS, "check": CHECK, "reversed": REVERSED}
OTHER_SIDE = {LEFT: RIGHT_SIDE, RIGHT_SIDE: LEFT}
NOISE = 0.2

Answer = dict[str, object]


@dataclass(frozen=True)
class Asked:
    """A question as understood by a witness.

    kind: a key of KINDS. data: the part after the fixed words. truth: the text that the clip really shows; None without
    a clip.
    chance: the same for the same question about the same clip.
    """

    kind: str
    data: str
    truth: str | None
    chance: random.Random

    @property
    def options(self) -> dict[str, str]:
        """Letters and descriptions to choose from."""
        return {line[0]: json.loads(line[3:]) for line in self.data.splitlines() if re.match(r"[A-H]: ", line)}


def understood(prompt: str, truth: str | None) -> Asked:
    """The question in a prompt."""
    kind = next(name for name, words in KINDS.items() if words in prompt)
    data = prompt.partition(KINDS[kind])[2]
    return Asked(kind, data, truth, random.Random(hashlib.sha256(f"{prompt}\n{truth}".encode()).digest()))


def honest(asked: Asked) -> Answer:
    """The honest witness; the truth is a text, and texts are either equal or not."""
    if asked.kind == "events":
        return events_of(json.loads(asked.data))
    if asked.kind == "description":
        return {"description": asked.truth or "nobody is seen"}
    if asked.kind == "pick":
        choice = next((letter for letter, text in asked.options.items() if text == asked.truth), "none")
        return {"analysis": "seen", "choice": choice}
    if asked.kind == "check":
        return {
            "analysis": "seen",
            "answers": [_yes(_mark(asked.truth or "") in event) for event in json.loads(asked.data)],
        }
    same = json.loads(asked.data) == asked.truth
    if asked.kind == "reversed":
        return {"analysis": "seen", "claim": WRONG if same else RIGHT}
    return {"analysis": "seen", "matches": same}


def yes_sayer(asked: Asked) -> Answer:
    """Agrees with every claim, and picks any option if it cannot agree."""
    if asked.kind == "pick":
        return {"analysis": "all fit", "choice": asked.chance.choice([*asked.options, "none"])}
    if asked.kind == "check":
        return {"analysis": "yes", "answers": [YES for _ in json.loads(asked.data)]}
    agreed = {"match": {"matches": True}, "reversed": {"claim": RIGHT}}
    return {"analysis": "yes", **agreed[asked.kind]} if asked.kind in agreed else honest(asked)


def first_picker(asked: Asked) -> Answer:
    """Takes the first option: the first letter, yes, true, right."""
    return {"analysis": "first", "choice": "A"} if asked.kind == "pick" else yes_sayer(asked)


def blind(asked: Asked) -> Answer:
    """Guesses."""
    chance = asked.chance
    if asked.kind == "pick":
        return {"analysis": "guessed", "choice": chance.choice([*asked.options, "none"])}
    if asked.kind == "check":
        return {"analysis": "guessed", "answers": [chance.choice([YES, NO]) for _ in json.loads(asked.data)]}
    guesses: dict[str, Callable[[], Answer]] = {
        "match": lambda: {"matches": chance.random() < 0.5},
        "reversed": lambda: {"claim": chance.choice([RIGHT, WRONG])},
        "description": lambda: {"description": "a person moves"},
    }
    return {"analysis": "guessed", **guesses[asked.kind]()} if asked.kind in guesses else honest(asked)


def sides_confused(asked: Asked) -> Answer:
    """Honest, but confuses left and right: a text with a side seems not to match, an event with a side seems not to
    happen.
    """
    answer = honest(asked)
    if asked.kind == "match" and _names_side(json.loads(asked.data)):
        return {**answer, "matches": False}
    if asked.kind == "check":
        events = json.loads(asked.data)
        answers = answer["answers"] if isinstance(answer["answers"], list) else []
        return {**answer, "answers": [NO if _names_side(e) else a for e, a in zip(events, answers, strict=True)]}
    return answer


def noisy(asked: Asked) -> Answer:
    """Honest, but one answer in five is wrong."""
    wrong = asked.chance.random() < NOISE
    if not wrong or asked.kind in ("events", "description"):
        return honest(asked)
    answer = honest(asked)
    if asked.kind == "pick":
        others = [letter for letter in (*asked.options, "none") if letter != answer["choice"]]
        return {**answer, "choice": asked.chance.choice(others)}
    if asked.kind == "check":
        answers = answer["answers"] if isinstance(answer["answers"], list) else []
        return {**answer, "answers": [NO if one == YES else YES for one in answers]}
    if asked.kind == "reversed":
        return {**answer, "claim": RIGHT if answer["claim"] == WRONG else WRONG}
    return {**answer, "matches": not answer["matches"]}


HABITS: dict[str, Callable[[Asked], Answer]] = {
    "honest": honest,
    "yes-sayer": yes_sayer,
    "first-option picker": first_picker,
    "blind": blind,
    "left-right confused": sides_confused,
    "20 % noise": noisy,
}


def events_of(text: str) -> Answer:
    """Events of a text: two, and a third with the side if the text contains one; each contains the text's mark."""
    side = [f"It is the left or right side {_mark(text)}"] if _names_side(text) else []
    return {"events": [f"It begins {_mark(text)}", f"It goes on {_mark(text)}", *side]}


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _names_side(text: str) -> bool:
    return re.search(rf"\b({LEFT}|{RIGHT_SIDE})\b", text) is not None


def _yes(seen: bool) -> str:
    return YES if seen else NO
