"""Entries as a data set for FiftyOne: ``fiftyone.Dataset.from_json(path)`` loads it.

Format: fiftyone/core/dataset.py, Dataset.from_dict.
"""

from __future__ import annotations

import os

from motion_gating.label_tools.labelled import Labelled
from motion_gating.metrics.table import METRICS
from motion_gating.verdicts.label_studio import LABELS
from motion_rep.files.locations import RemotePath

_STRING, _FLOAT = "fiftyone.core.fields.StringField", "fiftyone.core.fields.FloatField"
_LABEL = "fiftyone.core.fields.EmbeddedDocumentField(fiftyone.core.labels.Classification)"
_LABELS = "fiftyone.core.fields.EmbeddedDocumentField(fiftyone.core.labels.Classifications)"
_FIELDS = {
    **dict.fromkeys(("entry_id", "text", "reasons"), _STRING),
    **dict.fromkeys(("gate", "judge"), _LABEL),
    "people": _LABELS,
    **{metric.key: _FLOAT for metric in METRICS},
}


def heading(name: str) -> dict[str, object]:
    """The data set without its samples."""
    return {"name": name, "media_type": "video", "sample_fields": _FIELDS, "info": {}}


def sample_of(entry: Labelled) -> dict[str, object]:
    """The sample of an entry, with the gate's decision and the verdicts of judge and people as classifications."""
    people = [_label(v.matches, v.analysis, v.reviewer) for v in entry.people if not v.says_nothing]
    return {
        "filepath": str(entry.video) if isinstance(entry.video, RemotePath) else os.path.abspath(entry.video),
        "tags": [entry.decision_in_words],
        "entry_id": str(entry.identifier),
        "text": entry.text,
        "reasons": "; ".join(entry.reasons) or None,
        "gate": {"_cls": "Classification", "label": entry.decision_in_words},
        "judge": None if entry.matches is None else _label(entry.matches, entry.analysis),
        "people": {"_cls": "Classifications", "classifications": people} if people else None,
        **entry.figures,
    }


def _label(matches: bool | None, analysis: str | None, reviewer: str | None = None) -> dict[str, object]:
    more = {"analysis": analysis, "reviewer": reviewer}
    return {"_cls": "Classification", "label": LABELS[matches], **{key: value for key, value in more.items() if value}}
