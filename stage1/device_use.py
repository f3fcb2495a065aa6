"""How busy this machine is right now, in a few words."""

from __future__ import annotations

import sys
from typing import Any

import psutil

_GIB = 2**30


class DeviceUse:
    """Processor and memory of this process, and the GPU's once a step has put something on it."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()  # the first call starts the interval
        self._gpu: Any = None

    def __str__(self) -> str:
        return self._of_gpu() or f"CPU {self._process.cpu_percent():.0f}% {self._process.memory_info().rss / _GIB:.1f} GiB"

    def _of_gpu(self) -> str:
        torch = sys.modules.get("torch")
        if torch is None or not torch.cuda.is_available():
            return ""
        try:
            import pynvml

            if self._gpu is None:
                pynvml.nvmlInit()
                self._gpu = pynvml.nvmlDeviceGetHandleByIndex(torch.cuda.current_device())
            memory = pynvml.nvmlDeviceGetMemoryInfo(self._gpu)
            busy = pynvml.nvmlDeviceGetUtilizationRates(self._gpu).gpu
        except (ImportError, pynvml.NVMLError):
            return f"GPU {torch.cuda.memory_reserved() / _GIB:.0f} GiB"
        return f"GPU {busy}% {memory.used / _GIB:.0f} of {memory.total / _GIB:.0f} GiB"
