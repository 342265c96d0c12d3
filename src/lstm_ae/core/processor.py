"""What libraries choose by the processor they run on, chosen once for all processors.

NumPy, SciPy and PyTorch bring several versions of the same function, pick one by the processor, and
the versions differ in the last bits. Capped at AVX2 they give the same bytes on every x86-64
processor of the last ten years. The kernels of `lstm_ae.model` need no cap.
"""

import os
import platform

NATIVE = "LSTM_AE_NATIVE"

CAPS = {
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch
    "MKL_CBWR": "COMPATIBLE",  # its linear algebra, which otherwise asks for the vendor
    "OPENBLAS_CORETYPE": "Haswell",  # the linear algebra of NumPy and SciPy
    "OPENBLAS_NUM_THREADS": "1",  # whose sums are parted by threads
    "NPY_ENABLE_CPU_FEATURES": "X86_V3",  # NumPy
}


def is_native() -> bool:
    """Whether libraries take what is fastest on this processor, as LSTM_AE_NATIVE=1 asks."""
    return os.environ.get(NATIVE, "") not in ("", "0")


def cap() -> None:
    """Set the caps, for this process and those that it starts.

    Must come before NumPy and PyTorch are imported: they read them once.
    """
    is_x86 = platform.machine() in ("x86_64", "AMD64")
    if is_x86 and not is_native():
        os.environ.update(CAPS)
        os.environ.pop("NPY_DISABLE_CPU_FEATURES", None)  # NumPy takes one of the two alone
