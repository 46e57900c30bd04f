"""Rotation conversions between rotation vectors, matrices, quaternions and the first-two-columns rot6d.

Any leading batch dims; dtype and device follow the input. Gradients are finite everywhere.
"""

from __future__ import annotations

import torch
from torch import Tensor


def rotvec_to_matrix(rotvec: Tensor) -> Tensor:
    """Rotation vectors to matrices (Rodrigues).

    Args:
        rotvec: (..., 3) axis times angle, radians.
    Returns:
        (..., 3, 3)
    """
    x, y, z = rotvec.unbind(-1)
    squared = x * x + y * y + z * z
    small = squared < 1e-8
    angle = torch.where(small, 1.0, squared).sqrt()
    sine = torch.where(small, 1.0 - squared / 6.0, angle.sin() / angle)
    versine = torch.where(small, 0.5 - squared / 24.0, (1.0 - angle.cos()) / (angle * angle))
    sx, sy, sz = sine * x, sine * y, sine * z
    vx, vy = versine * x, versine * y
    cosine = 1.0 - versine * squared
    rows = (
        cosine + vx * x,
        vx * y - sz,
        vx * z + sy,
        vx * y + sz,
        cosine + vy * y,
        vy * z - sx,
        vx * z - sy,
        vy * z + sx,
        cosine + versine * z * z,
    )
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def matrix_to_quaternion(matrix: Tensor) -> Tensor:
    """Rotation matrices to unit quaternions with a non-negative real part.

    Takes the best conditioned of four equivalent solutions (Shepperd, 1978, https://doi.org/10.2514/3.55767b).

    Args:
        matrix: (..., 3, 3)
    Returns:
        (..., 4) as w, x, y, z.
    """
    (a, b, c), (d, e, f), (g, h, i) = (row.unbind(-1) for row in matrix.unbind(-2))
    wx, wy, wz, xy, xz, yz = h - f, c - g, d - b, d + b, c + g, h + f
    entries = (
        (1 + a + e + i, wx, wy, wz),
        (wx, 1 + a - e - i, xy, xz),
        (wy, xy, 1 - a + e - i, yz),
        (wz, xz, yz, 1 - a - e + i),
    )
    candidates = torch.stack([torch.stack(row, dim=-1) for row in entries], dim=-2)
    # Much faster than argmax.
    best = candidates.diagonal(dim1=-2, dim2=-1).max(-1).indices
    chosen = candidates.gather(-2, best[..., None, None].expand(*best.shape, 1, 4)).squeeze(-2)
    unit = chosen / chosen.norm(dim=-1, keepdim=True)
    return torch.where(unit[..., :1] < 0, -unit, unit)


def quaternion_to_matrix(quaternion: Tensor) -> Tensor:
    """Quaternions to rotation matrices; the length does not matter.

    Args:
        quaternion: (..., 4) as w, x, y, z, not zero.
    Returns:
        (..., 3, 3)
    """
    w, x, y, z = (quaternion / quaternion.norm(dim=-1, keepdim=True)).unbind(-1)
    x2, y2, z2 = 2 * x, 2 * y, 2 * z
    wx, wy, wz, xx, yy, zz = w * x2, w * y2, w * z2, x * x2, y * y2, z * z2
    xy, xz, yz = x * y2, x * z2, y * z2
    rows = (
        1 - (yy + zz), xy - wz, xz + wy,
        xy + wz, 1 - (xx + zz), yz - wx,
        xz - wy, yz + wx, 1 - (xx + yy),
    )  # fmt: skip
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def continuous_quaternions(quaternions: Tensor) -> Tensor:
    """(N, ..., 4) with signs such that neighbours in time are close; players then interpolate along the short arc."""
    turned = (quaternions[1:] * quaternions[:-1]).sum(-1, keepdim=True) < 0
    signs = torch.cat((torch.ones_like(quaternions[:1, ..., :1]), torch.where(turned, -1.0, 1.0).to(quaternions.dtype)))
    return quaternions * signs.cumprod(0)


def matrix_to_rotvec(matrix: Tensor) -> Tensor:
    """Rotation matrices to rotation vectors of at most pi radians, exact also close to 0 and to pi.

    Args:
        matrix: (..., 3, 3)
    Returns:
        (..., 3) axis times angle, radians.
    """
    quaternion = matrix_to_quaternion(matrix)
    real, imaginary = quaternion[..., :1], quaternion[..., 1:]
    squared = (imaginary * imaginary).sum(-1, keepdim=True)
    small = squared < 1e-12
    sine = torch.where(small, 1.0, squared).sqrt()
    return imaginary * torch.where(small, 2.0 / torch.where(small, real, 1.0), 2.0 * torch.atan2(sine, real) / sine)


def continuous_rotvecs(matrices: Tensor) -> Tensor:
    """Rotation vectors over time without jumps: of equal rotations, the vector closest to that of the previous frame.

    At half a turn the vector of :func:`matrix_to_rotvec` changes its sign; programs that interpolate each number would
    then misplace the joint between two frames.

    Args:
        matrices: (N, ..., 3, 3)
    Returns:
        (N, ..., 3) radians, each of less than two turns; the first frame at most half a turn.
    """
    shortest = matrix_to_rotvec(matrices)
    angles = shortest.norm(dim=-1, keepdim=True)
    axes = torch.where(angles > 1e-6, shortest / angles.clamp(min=1e-12), 0.0)
    turns = 2 * torch.pi * torch.arange(-2, 2, dtype=shortest.dtype, device=shortest.device)
    candidates = shortest[..., None, :] + axes[..., None, :] * turns[:, None]
    found = shortest.clone()
    for frame in range(1, len(found)):
        # Without an own axis, a whole turn about the previous one is as good.
        before = found[frame - 1]
        length = before.norm(dim=-1, keepdim=True)
        whole = before / length.clamp(min=1e-12) * (2 * torch.pi * (length / (2 * torch.pi)).round())
        own = torch.where(angles[frame, ..., None] > 1e-6, candidates[frame], whole[..., None, :])
        best = (own - before[..., None, :]).norm(dim=-1).argmin(dim=-1, keepdim=True)
        found[frame] = own.gather(-2, best[..., None].expand(*best.shape, 3)).squeeze(-2)
    return found


def angle_between(first: Tensor, second: Tensor) -> Tensor:
    """The angle between two rotations, from the trace; close to 0 and pi accurate to about 1e-8 at best.

    Args:
        first, second: (..., 3, 3)
    Returns:
        (...) radians, 0 to pi.
    """
    trace = (first * second).flatten(-2).sum(-1)
    return ((trace - 1.0) / 2.0).clamp(-1.0, 1.0).acos()


def matrix_to_rot6d(matrix: Tensor) -> Tensor:
    """The first two columns of rotation matrices, row-major.

    Args:
        matrix: (..., 3, 3)
    Returns:
        (..., 6) as r00, r01, r10, r11, r20, r21 (not PyTorch3D's row order).
    """
    return matrix[..., :2].flatten(-2)


def rot6d_to_matrix(rot6d: Tensor) -> Tensor:
    """Two columns, row-major, to rotation matrices by Gram-Schmidt; the third column is their cross product.

    Args:
        rot6d: (..., 6) as r00, r01, r10, r11, r20, r21; need not be orthonormal.
    Returns:
        (..., 3, 3)
    """
    first, second = rot6d.unflatten(-1, (3, 2)).unbind(-1)
    x = first / first.norm(dim=-1, keepdim=True)
    across = second - (x * second).sum(-1, keepdim=True) * x
    y = across / across.norm(dim=-1, keepdim=True)
    return torch.stack((x, y, torch.linalg.cross(x, y)), dim=-1)


def slerp(start: Tensor, end: Tensor, weight: Tensor) -> Tensor:
    """Rotations on the shortest arc between two.

    Args:
        start, end: (..., 3, 3) matrices.
        weight: (...) 0 gives start, 1 gives end.
    Returns:
        (..., 3, 3)
    """
    step = matrix_to_rotvec(start.mT @ end)
    return start @ rotvec_to_matrix(weight[..., None] * step)


def nearest_rotation(matrix: Tensor) -> Tensor:
    """The rotation with the smallest Frobenius distance to each matrix.

    Args:
        matrix: (..., 3, 3), not zero.
    Returns:
        (..., 3, 3) with determinant +1.
    """
    u, _, vh = torch.linalg.svd(matrix)
    sign = torch.linalg.det(u @ vh).sign()
    flip = torch.stack((torch.ones_like(sign), torch.ones_like(sign), sign), dim=-1)
    return (u * flip[..., None, :]) @ vh
