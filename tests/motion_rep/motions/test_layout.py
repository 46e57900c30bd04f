"""The 276 columns stand where the published format has them, and nothing is lost between names and numbers."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from motion_rep.common.errors import InputError
from motion_rep.motions.layout import COLUMNS, WIDTH, MotionColumns, pack, unpack

DOCUMENTED = {
    "body_rot6d": (0, 126),
    "joints": (126, 192),
    "joint_velocities": (192, 258),
    "root_rot6d": (258, 264),
    "root_angular_velocity": (264, 270),
    "transl": (270, 273),
    "transl_velocity": (273, 276),
}


def test_every_name_means_the_documented_slice():
    motion = torch.arange(3 * 276.0).reshape(3, 276)
    columns = unpack(motion)
    assert WIDTH == 276 and list(COLUMNS) == list(DOCUMENTED)
    for name, (start, end) in DOCUMENTED.items():
        assert_close(getattr(columns, name).flatten(1), motion[:, start:end], atol=0, rtol=0)
    # Joint-major: x, y, z of the pelvis, then of the left hip.
    assert columns.joints[0, 1].tolist() == [129, 130, 131]


@pytest.mark.parametrize("rows", [0, 1, 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_packing_undoes_unpacking(rows, dtype):
    motion = torch.randn(rows, 276, dtype=dtype)
    packed = pack(unpack(motion))
    assert packed.dtype == dtype
    assert_close(packed, motion, atol=0, rtol=0)


def test_unpacking_copies_nothing():
    motion = torch.zeros(2, 276)
    assert unpack(motion).joints.untyped_storage().data_ptr() == motion.untyped_storage().data_ptr()


@pytest.mark.parametrize("shape", [(276,), (2, 275), (2, 277), (1, 2, 276)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InputError, match="276"):
        unpack(torch.zeros(shape))


@pytest.mark.parametrize("name", list(COLUMNS))
def test_columns_of_another_length_are_refused_by_name(name):
    columns = unpack(torch.zeros(4, 276))
    with pytest.raises(InputError, match=name if name != "transl" else "body_rot6d"):
        dataclasses.replace(columns, **{name: getattr(columns, name)[:3]})


def test_columns_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        unpack(torch.zeros(1, 276)).transl = torch.ones(1, 3)
    assert dataclasses.is_dataclass(MotionColumns)
