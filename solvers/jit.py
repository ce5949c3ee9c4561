"""Our ``njit``: kernels cached on disk under a hash of all the package's kernel sources.

numba keeps a cached kernel when a helper or a constant in *another* file changes. A folder named
by a hash of every source file in ``solvers/`` cannot go stale.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def _user_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home())))
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


@cache
def cache_folder() -> Path:
    """Folder of the compiled kernels of this version of the sources (it need not exist yet)."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    given = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(given) if given else _user_cache() / "crtransport"
    return base / digest.hexdigest()[:16]


@cache
def _writable_cache() -> str:
    for folder in (cache_folder(), Path(tempfile.gettempdir()) / f"crtransport-{os.getpid()}"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return str(folder)
    return ""


def njit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` on first call; IEEE arithmetic but for fused multiply-add.

    It runs without the interpreter's lock, so that threads solve several problems at once.

    A division by zero gives inf or nan as in NumPy; full fastmath is left out because it breaks
    isnan and compensated sums.
    """
    import numba

    config: Any = numba.config
    folder = _writable_cache()
    before = config.CACHE_DIR
    if folder:  # read when the kernel is decorated, so other packages never see it
        config.CACHE_DIR = folder
    try:
        compiled: Any = numba.njit(
            cache=bool(folder), error_model="numpy", fastmath={"contract"}, nogil=True
        )(function)
    finally:
        config.CACHE_DIR = before
    return compiled
