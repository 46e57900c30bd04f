"""Entries as tasks of Label Studio, and the labelling configuration of the project.

The judge's verdict becomes a prediction, verdicts of people become annotations. The JSON that Label Studio exports is a
verdict file; see :mod:`motion_gating.verdicts.label_studio`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

from motion_gating.label_tools.labelled import Labelled
from motion_gating.verdicts.label_studio import (
    ANALYSIS,
    CONTENT,
    ID,
    LABELS,
    MATCHES,
    META,
    NOT_USABLE,
    SAID,
    USABLE,
    USE,
    VERDICT,
)
from motion_gating.verdicts.verdict_file import HumanVerdict
from motion_rep.files.locations import Location, RemotePath

LOCAL_FILES = "/data/local-files/?d="  # where Label Studio serves LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT


def _choices(name: str, labels: tuple[str, ...], required: bool = False) -> str:
    choices = "".join(f'<Choice value="{label}"/>' for label in labels)
    needed = ' required="true"' if required else ""
    return f'  <Choices name="{name}" toName="video" choice="single" showInline="true"{needed}>{choices}</Choices>\n'


CONFIG = (
    "<View>\n"
    '  <Text name="text" value="$text"/>\n'
    '  <Video name="video" value="$video"/>\n'
    '  <Text name="figures" value="$figures"/>\n'
    + _choices(VERDICT, tuple(MATCHES), required=True)
    + _choices(USE, (USABLE, NOT_USABLE))
    + f'  <TextArea name="{ANALYSIS}" toName="video" maxSubmissions="1" rows="2"/>\n'
    "</View>\n"
)


def task_of(entry: Labelled, root: Path, judge: str) -> dict[str, object]:
    """The task of an entry.

    Args:
        root: the folder that Label Studio serves.
        judge: the name of the prediction.
    """
    figures = ", ".join(f"{key} {value:.3g}" for key, value in entry.figures.items())
    data = {
        ID: json.dumps(entry.identifier),
        "video": url_of(entry.video, root),
        "text": entry.text,
        "figures": f"{entry.decision_in_words}: {'; '.join(entry.reasons)}. {figures}" if entry.reasons else figures,
        **entry.figures,
        **({} if entry.content is None else {CONTENT: entry.content.as_dict()}),
    }
    annotations = [_by_person(verdict) for verdict in entry.people if not verdict.says_nothing]
    predictions = [] if entry.matches is None else [_annotation(entry.matches, entry.analysis)]
    return {
        "data": data,
        "annotations": annotations,
        "predictions": [{**prediction, "model_version": judge} for prediction in predictions],
    }


def url_of(video: Location, root: Path) -> str:
    """The URL of a video for Label Studio: its own URL if remote, else one below the folder that Label Studio
    serves.
    """
    if isinstance(video, RemotePath):
        return str(video)
    return LOCAL_FILES + quote(os.fsencode(Path(os.path.relpath(video, root)).as_posix()))


def is_below(video: Location, root: Path) -> bool:
    """Whether Label Studio can serve a video: a remote one, or one below its folder."""
    return isinstance(video, RemotePath) or os.path.relpath(video, root).split(os.sep)[0] != os.pardir


def _by_person(verdict: HumanVerdict) -> dict[str, list[dict]]:
    """The annotation of a reviewer, whose name and time stay with it."""
    kept = {
        "reviewer": verdict.reviewer,
        "time": None if verdict.time is None else verdict.time.isoformat(),
        "overruled": verdict.overruled or None,
        "chosen": verdict.chosen,
        SAID: LABELS[verdict.matches],
    }
    found = _annotation(verdict.matches, verdict.analysis, verdict.usable)
    found["result"][0][META] = {key: value for key, value in kept.items() if value is not None}
    return found


def _annotation(matches: bool | None, analysis: str | None, usable: bool | None = None) -> dict[str, list[dict]]:
    labels = [_choice(VERDICT, LABELS[matches])]
    labels += [] if usable is None else [_choice(USE, USABLE if usable else NOT_USABLE)]
    labels += [] if not analysis else [_label(ANALYSIS, "textarea", {"text": [analysis]})]
    return {"result": labels}


def _choice(name: str, label: str) -> dict:
    return _label(name, "choices", {"choices": [label]})


def _label(name: str, kind: str, value: dict[str, list[str]]) -> dict:
    return {"from_name": name, "to_name": "video", "type": kind, "value": value}
