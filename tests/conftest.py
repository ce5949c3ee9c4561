"""What holds for all tests."""

from crtransport.console import one_blas_thread

one_blas_thread()
