"""Results as files: a dataset as netCDF-4, figures as PNG, each written whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


def netcdf_bytes(dataset: xr.Dataset) -> bytes:
    """A dataset as the content of a netCDF-4 file.

    Built in memory, so that a full disk or an interrupt meets one plain write.
    """
    return grouped_bytes({"/": dataset})


def grouped_bytes(groups: Mapping[str, xr.Dataset]) -> bytes:
    """Datasets as the groups of a netCDF-4 file; "/" is none of them, but the file itself."""
    import netCDF4
    from xarray.backends import NetCDF4DataStore

    # the size is a first guess, which the library enlarges as it needs
    file = netCDF4.Dataset("memory.nc", mode="w", format="NETCDF4", memory=1 << 20)
    for name, dataset in groups.items():
        check_labels(dataset)
        place = file if name == "/" else file.createGroup(name)
        dataset.dump_to_store(NetCDF4DataStore(place))
    return bytes(file.close())


def png_bytes(figure: Figure) -> bytes:
    """A figure as the content of a PNG file."""
    buffer = io.BytesIO()
    # without this the file would carry the version of matplotlib
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def check_labels(dataset: xr.Dataset) -> None:
    """Refuse a dataset in which a variable has no ``units`` or no ``long_name``.

    Raises
    ------
    ValueError
        Naming every such variable.
    """
    missing = [
        f"{name} has no {attribute}"
        for name, variable in dataset.variables.items()
        for attribute in ("units", "long_name")
        if attribute not in variable.attrs
    ]
    if missing:
        raise ValueError(f"unlabelled variables: {'; '.join(missing)}")


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` under a temporary name in the same folder, then rename.

    Whatever happens, an older file stays whole until the new one is; only a kill that cannot be
    caught leaves the temporary file behind.

    Raises
    ------
    OSError
        Naming ``path``, not the temporary file.
    """
    try:
        _write_and_rename(path, data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write_and_rename(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes the file private; give it the mode that open() would have given
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def check_folder(folder: Path) -> None:
    """Make an output folder where it is missing, and see that files can be made in it.

    Raises
    ------
    OSError
        If it cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
