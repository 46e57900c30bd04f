"""The texts of the sample archive for each movement, and what a person saw in the rendered clips."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """An archive entry's texts, and a person's verdict after watching the rendered clip.

    name: name of the capture and of its motion.
    usable: False if the clip matches, but its motion should not be used.
    """

    name: str
    dimension: str
    main_action: str
    prompt: str
    motion: str
    video: str
    matches: bool
    analysis: str
    usable: bool = True


TEXTS = (
    Text(
        "jumping_jack",
        "Motion_Quality",
        "jumping jack",
        "a person does two jumping jacks.",
        "The person stands upright with the arms at the sides, then jumps the feet apart while both arms swing out "
        "and overhead. "
        "The knees give on landing, the feet jump back together and the arms come down. The whole jump is done twice "
        "before the person stands still.",
        "Full-body shot, level stable camera, front view. A person in sportswear does two jumping jacks on the "
        "wooden floor of a bright gym, "
        "feet jumping apart and together while the arms swing overhead and back down.",
        True,
        "The feet jump apart while both arms swing out and overhead, then close again while the arms come down, "
        "twice, with bent knees at each landing.",
    ),
    Text(
        "squat",
        "Motion_Quality",
        "squat",
        "a person does two deep squats with the arms stretched forward for balance.",
        "The person stands with the feet a little wider than the hips, pushes the hips back and bends the knees "
        "until the thighs are about level, "
        "leaning forward and stretching both arms ahead. After a short stay at the bottom the person rises, lowers "
        "the arms, and does it once more.",
        "Full-body shot, level stable camera, angled front view. A person in a grey tracksuit does two slow deep "
        "squats on a mat in a plain studio, "
        "heels on the ground, both arms stretched forward at the bottom.",
        True,
        "The person lowers the hips far down and back with both feet flat, arms stretched ahead, rises to standing, "
        "and repeats it once.",
    ),
    Text(
        "circle_walk",
        "Motion_Quality",
        "walk in a circle",
        "a person walks once around in a circle to the left at an easy pace.",
        "The person walks at an easy pace along a small circle, turning steadily to the left until the starting "
        "place is reached again. "
        "The arms swing against the legs, the heels touch first and the toes push off.",
        "Full-body shot, level stable camera. A person in a green jumper and dark trousers walks once around in a "
        "small circle on a tiled floor, "
        "first toward the camera, then away from it, with relaxed swinging arms.",
        True,
        "The person walks with alternating steps and swinging arms, turning left all the way around a circle and "
        "ending where the walk began.",
    ),
    Text(
        "wave",
        "Motion_Quality",
        "wave",
        "a person raises the right hand and waves.",
        "The person shifts the weight to the left leg, raises the right hand beside the head with the elbow bent, "
        "and waves it from side to side several times. "
        "Then the arm comes down and the person stands relaxed.",
        "Full-body shot, level stable camera, front view. A person in jeans and a white shirt stands in a hallway, "
        "raises the right hand and waves to the viewer, "
        "then lowers the arm.",
        True,
        "The right hand is raised beside the head and swings from side to side several times before the arm comes "
        "down; the left arm hangs.",
    ),
    Text(
        "arm_raise_jittery",
        "Motion_Generalizability",
        "raise both arms",
        "a person raises both arms at the sides until they are overhead and lowers them, twice.",
        "The person stands still, raises both arms at the sides in a wide arc until they point up, holds them for a "
        "moment and lowers them along the same arc. "
        "The movement is done twice, calmly.",
        "Full-body shot, level stable camera, front view. A person in a dark shirt stands in front of a white wall, "
        "raises both arms sideways overhead "
        "and lowers them again, twice.",
        True,
        "Both arms rise at the sides until overhead and come down again, twice; the whole body trembles from frame "
        "to frame, but the action is the one described.",
        usable=False,
    ),
    Text(
        "wave_cartwheel_text",
        "Motion_Generalizability",
        "cartwheel",
        "a person does a cartwheel to the left.",
        "The person raises both arms, steps to the left, places one hand after the other on the ground and turns "
        "sideways over the hands with straight legs, "
        "landing on one foot after the other.",
        "Full-body shot, level stable camera, front view. A gymnast in a blue leotard does a cartwheel to the left "
        "across a gym mat, legs straight overhead, "
        "and lands standing.",
        False,
        "The person only stands and waves with the left hand; no hand ever touches the ground and the body never "
        "turns over, so this is no cartwheel.",
    ),
    Text(
        "sample_video",
        "Motion_Quality",
        "jumping jack",
        "a person does jumping jacks.",
        "The person stands upright, jumps the feet apart while both arms swing out and overhead, and jumps the feet "
        "together again while the arms come down. "
        "The jump is repeated without a pause.",
        "Full-body shot, level stable camera, front view. A person in a red shirt and dark trousers does jumping "
        "jacks on a green floor in front of a plain wall, "
        "feet apart and arms overhead, then feet together and arms down.",
        True,
        "The feet jump apart while both arms swing out and up above the head, then come together while the arms go "
        "down, again and again.",
    ),
)
