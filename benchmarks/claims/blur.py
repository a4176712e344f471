"""FFT blur against direct convolution, forward and backward.

python -m benchmarks.claims.blur

One thread, float32; the gradient goes to the image and to the kernel. The patch is
the output of a valid blur, as in training.
"""

import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.helpers.tables import write_table
from napari_blurgan.optics.forward import BlurKernel
from napari_blurgan.optics.kernel import SoftmaxKernel, gaussian_kernel

REPEATS = 5


def seconds(step: Callable[[], Tensor]) -> float:
    """Return the least CPU time of forward and backward."""
    best, start = float("inf"), time.process_time()
    for _ in range(REPEATS):
        before = time.process_time()
        step().sum().backward()
        best = min(best, time.process_time() - before)
        if time.process_time() - start > 10:
            break
    return best


def row(patch: int, taps: int) -> tuple[str, ...]:
    start = gaussian_kernel((taps,) * 3, (taps / 3,) * 3)
    blur = BlurKernel(SoftmaxKernel(start))
    weight = torch.tensor(start[None, None]).requires_grad_()
    x = torch.rand(1, 1, *[patch + taps - 1] * 3, requires_grad=True)
    torch.testing.assert_close(blur(x), F.conv3d(x, weight), rtol=1e-3, atol=1e-4)
    fast = seconds(lambda: blur(x))
    direct = seconds(lambda: F.conv3d(x, weight))
    return (
        f"{patch}³",
        f"{taps}³",
        f"{1e3 * fast:.1f}",
        f"{1e3 * direct:.0f}",
        f"{direct / fast:.0f}×",
    )


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = [row(patch, taps) for patch in (32, 64) for taps in (11, 15, 21)]
    header = "| output | kernel | FFT (ms) | direct (ms) | ratio |"
    write_table("spectral.md", "blur", header, rows)


if __name__ == "__main__":
    main()
