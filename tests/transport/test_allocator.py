import sys

import psutil
import pytest
import torch

from napari_blurgan.memory import release_memory


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be asked")
def test_freed_memory_goes_back() -> None:
    process = psutil.Process()
    many = [torch.ones(4096) for _ in range(4000)]
    above = torch.ones(4096)  # holds the top of the heap
    full = process.memory_info().rss
    del many
    release_memory()
    freed = full - process.memory_info().rss
    assert above.sum() == 4096
    assert freed > 0.8 * 4000 * 4 * 4096
