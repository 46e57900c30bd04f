"""Contacts of the feet, on movements whose contacts are known."""

from __future__ import annotations

import pytest
import torch

from motion_rep.kinematics.foot_contact import FEET, foot_contacts, heels, point_contacts
from scripts.dev.refining_evaluation.steps import MAKERS, make_steps

FPS = 16.0


@pytest.mark.parametrize("name", MAKERS)
def test_contacts_are_found_and_no_others(name):
    steps = make_steps(name)
    found = foot_contacts(steps.parameters.joints(), FPS)
    both = (found & steps.contacts).sum().item()
    assert both / found.sum().item() > 0.95
    assert both / steps.contacts.sum().item() > 0.95


def test_the_floor_may_be_anywhere_and_drift():
    joints = make_steps("walk").parameters.joints()
    found = foot_contacts(joints, FPS)
    assert torch.equal(foot_contacts(joints + joints.new_tensor((3.0, -2.0, 1.5)), FPS), found)
    drift = torch.linspace(0, 0.1, len(joints), dtype=torch.float64)[:, None, None] * joints.new_tensor((0.0, 0.0, 1.0))
    assert (foot_contacts(joints + drift, FPS) == found).double().mean() > 0.95


def test_a_rate_twice_as_high_finds_the_same_contacts():
    joints = make_steps("walk").parameters.joints()
    between = (joints[1:] + joints[:-1]) / 2
    dense = torch.stack((joints[:-1], between), dim=1).flatten(0, 1)
    assert (foot_contacts(dense, 2 * FPS)[::2] == foot_contacts(joints, FPS)[:-1]).double().mean() > 0.95


def test_heel_and_toe_are_told_apart():
    steps = make_steps("walk_slow")
    contacts = point_contacts(steps.parameters.joints(), FPS)
    assert (contacts.toes & ~contacts.heels).any(dim=0).all(), "at the end of a stance only the toes stand"
    assert (contacts.heels & ~contacts.toes).any(), "at its start only a heel does"


def test_the_heel_of_a_flat_foot_is_as_high_as_its_toe_joint():
    joints = make_steps("sample_wave").parameters.joints()
    height = torch.from_numpy(heels(joints.numpy()))[..., 2] - joints[:, FEET, 2]
    assert height.abs().max() < 0.012


def test_few_frames():
    joints = make_steps("sample_wave").parameters.joints()
    assert foot_contacts(joints[:1], FPS).tolist() == [[True, True]]
    assert foot_contacts(joints[:2], FPS).all()
