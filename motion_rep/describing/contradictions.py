"""Find the sides, directions and numbers of a description that the facts of the motion contradict.

Only plain statements are compared: one action with one number in a sentence, one side of one limb in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from motion_rep.describing.actions import BOTH, Action
from motion_rep.describing.body_signals import LEFT, RIGHT
from motion_rep.describing.facts import MotionFacts
from motion_rep.describing.sentences import action_sentence

NUMBERS = {"once": 1, "twice": 2, "thrice": 3} | {
    word: number for number, word in enumerate(("two", "three", "four", "five", "six", "seven", "eight"), start=2)
}
ARMS, LEGS = ("raise_arm", "wave_hand", "thrust_hand"), ("kick", "lift_knee", "lunge")
LIMBS = {"arm": ARMS, "hand": ARMS, "fist": ARMS, "leg": LEGS, "foot": LEGS, "knee": LEGS}
# Pattern of the words for each action in a text.
VERBS = {
    r"jumping jacks?": "raise_arm",
    r"jump(?:s|ing)?|hop(?:s|ping)?": "jump",
    r"(?:deep )?squat(?:s|ting)?": "squat",
    r"lunge(?:s|ing)?": "lunge",
    r"(?:high )?kick(?:s|ing)?": "kick",
    r"wave(?:s|ing)?": "wave_hand",
    r"punch(?:es|ing)?": "thrust_hand",
    r"bow(?:s|ing)?|bend(?:s|ing)? forward": "bend_forward",
}
OTHER_SIDE = {LEFT: RIGHT, RIGHT: LEFT}
SMALLEST_TURN = 45  # degrees


def contradictions(text: str, facts: MotionFacts) -> list[str]:
    """One sentence for each contradiction between an English text and the facts; empty if there is none."""
    words = re.sub(r"\s+", " ", text.lower())
    return [*_sides(words, facts), *_direction(words, facts), *_counts(words, facts)]


def _sides(text: str, facts: MotionFacts) -> Iterator[str]:
    """The text names one side of a limb, but only the other side moves."""
    named = set(re.findall(rf"\b({LEFT}|{RIGHT}) ({'|'.join(LIMBS)})s?\b", text))
    for kinds, limb in ((ARMS, "arm"), (LEGS, "leg")):
        sides = {side for side, part in named if LIMBS[part] == kinds}
        moving = [action for action in facts.actions if action.name in kinds]
        if len(sides) == 1 and moving and not {action.side for action in moving} & {*sides, BOTH}:
            seen = " ".join(map(action_sentence, moving))
            yield f"The text names the {sides.pop()} {limb}, but: {seen}"


def _direction(text: str, facts: MotionFacts) -> Iterator[str]:
    sides = set(
        re.findall(rf"\b(?:turn|spin|rotat|circle)\w*\b[^.;]*?\bto (?:the|his|her|their) ({LEFT}|{RIGHT})\b", text)
    )
    turned = LEFT if facts.turn > 0 else RIGHT
    if len(sides) == 1 and abs(facts.turn) >= SMALLEST_TURN and turned not in sides:
        turns = f"the body turns {abs(facts.turn):.0f} degrees to the {turned}"
        yield f"The text names a turn to the {sides.pop()}, but {turns}."


def _counts(text: str, facts: MotionFacts) -> Iterator[str]:
    for sentence in re.split(r"[.;]|\bthen\b", text):
        named, numbers = _named_actions(sentence), _numbers(sentence)
        if len(named) != 1 or len(numbers) != 1:
            continue
        done = [action for action in facts.actions if action.name == named[0]]
        if done and numbers[0] not in _possible_counts(done):
            yield f"The text says {numbers[0]} times, but: {' '.join(map(action_sentence, done))}"


def _named_actions(sentence: str) -> list[str]:
    found = []
    for pattern, name in VERBS.items():
        sentence, count = re.subn(rf"\b(?:{pattern})\b", " ", sentence)
        found += [name] if count else []
    return found


def _numbers(sentence: str) -> list[int]:
    """Numbers that count an action: ``twice``, ``three times``, ``2 deep squats``."""
    amount = rf"(?:{'|'.join(NUMBERS)}|\d{{1,2}})(?= (?:times|(?:\w+ )?(?:{'|'.join(VERBS)}))\b)"
    words = re.findall(rf"\b(once|twice|thrice|{amount})\b", sentence)
    return [NUMBERS[word] if word in NUMBERS else int(word) for word in words]


def _possible_counts(done: list[Action]) -> set[int]:
    """The counts that a number may mean: of one side, or of both together."""
    return {action.count for action in done} | {sum(action.count for action in done)}
