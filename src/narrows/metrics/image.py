"""Quality of pictures: peak signal-to-noise ratio and structural similarity.

References:
    Image Quality Assessment: From Error Visibility to Structural Similarity (Wang et al., 2004),
    https://doi.org/10.1109/TIP.2003.819861
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from narrows.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


def psnr(x: Tensor, y: Tensor, peak: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio in dB of each object, shape (B,); infinite for equal ones.

    Args:
        x: Objects, shape (B, *shape).
        y: What they are compared with, shape (B, *shape).
        peak: The largest value possible.

    Example:
        >>> import torch
        >>> psnr(torch.zeros(1, 4), torch.full((1, 4), 0.1)).item()
        20.0
    """
    check_pair(x, y)
    return 10 * (peak**2 / (x - y).square().flatten(1).mean(1)).log10()


def ssim(x: Tensor, y: Tensor, peak: float = 1.0, window: int = 11, sigma: float = 1.5) -> Tensor:
    """Structural similarity of each picture, shape (B,): 1 for equal pictures. Differentiable.

    Only places where the window lies inside the picture count. The window shrinks to the largest odd number that
    fits a smaller picture.

    Args:
        x: Pictures, shape (B, C, H, W), of at least 3 x 3 pixels.
        y: What they are compared with, shape (B, C, H, W).
        peak: The largest value possible.
        window: Side of the Gaussian window in pixels, odd.
        sigma: Its standard deviation in pixels.

    Example:
        >>> import torch
        >>> x = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
        >>> ssim(x, x).tolist()
        [1.0, 1.0]
    """
    import torch
    from torch.nn import functional as F

    check_pair(x, y)
    if x.ndim != 4 or min(x.shape[2:]) < 3:
        raise InputError(f"objects of shape {tuple(x.shape)}", expected="pictures (B, C, H, W) of at least 3 x 3")
    smaller = min(window, *x.shape[2:])
    window = smaller - 1 + smaller % 2
    steps = torch.arange(window, device=x.device, dtype=x.dtype) - window // 2
    line = torch.exp(-steps.square() / (2 * sigma**2))
    line = (line / line.sum()).expand(x.shape[1], 1, 1, window)

    def blur(v: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(v, line, groups=len(line)), line.mT, groups=len(line))

    mean_x, mean_y = blur(x), blur(y)
    variance_x, variance_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2

    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return (luminance * structure).flatten(1).mean(1)


def check_pair(x: Tensor, y: Tensor) -> None:
    """Refuse objects that cannot be compared."""
    if x.shape != y.shape:
        raise InputError(f"objects of shape {tuple(x.shape)} and {tuple(y.shape)}", expected="equal shapes")
