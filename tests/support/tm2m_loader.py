"""TM2M's part in tests: a small loader and a small text encoder that refuse what ViMoGen's own refuse."""

from __future__ import annotations

import json
from pathlib import Path

import torch

KEY = "prompt_video_detailed"


def make_embeds(root: Path, archive: Path, key: str = KEY) -> None:
    """Give every entry an embedding, as ``text_encoding_batch.py`` does; it knows entries by numbers only."""
    entries = json.loads(archive.read_text())
    for entry in entries:
        assert isinstance(entry["id"], int) and not isinstance(entry["id"], bool), entry["id"]
        assert isinstance(entry[key], str) and entry[key]
        path = f"data/embeds/{key}/{entry['id']}.pt"
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        torch.save(torch.zeros(7, 4096), root / path)
        entry[f"{key}_wanvideot5_embed_path"] = path
    archive.write_text(json.dumps(entries))


def load(root: Path, archive: Path, key: str = KEY) -> dict[int, tuple[bool, torch.Tensor]]:
    """What the loader makes of an archive: by ``global_id``, whether it is conditioned, and the reference motion.

    Raises:
        ValueError: an embedding is not there.
    """
    loaded = {}
    for entry in json.loads(archive.read_text()):
        embed = entry.get(f"{key}_wanvideot5_embed_path")
        if embed is None or not (root / embed).is_file():
            raise ValueError(f"{entry['global_id']}: no embedding")
        assert torch.load(root / embed, weights_only=True).shape[1] == 4096
        assert isinstance(entry["global_id"], int) and isinstance(entry["prompt"], str)
        path, used = entry["motion_path"], entry["use_ref_motion"]
        assert isinstance(used, bool) and isinstance(path, str)
        loaded[entry["global_id"]] = (used, _reference(root / path) if used else torch.zeros(100, 276))
    return loaded


def _reference(path: Path) -> torch.Tensor:
    """Always taken for 16 fps, and resampled to 20 in a straight line over all columns."""
    rows = torch.load(path, weights_only=True)["motion"][:, :276]
    assert rows.dtype == torch.float32 and bool(rows.isfinite().all())
    count = len(rows) * 20 // 16
    return torch.nn.functional.interpolate(rows.T[None], size=count, mode="linear", align_corners=True)[0].T
