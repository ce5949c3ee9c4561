"""The folder of measured tables, for tests that need one."""

from pathlib import Path

import pytest

from crtransport.measurements import data_folder

_PARTS = {"clusters": "gc-4fgl"}  # all others: cr-kiss


def tables_of(model: str) -> Path:
    """The data folder, if what decks of a model need is there; else the test is left out."""
    data = data_folder()
    part = _PARTS.get(model, "cr-kiss")
    if data is None or not (data / part).is_dir():
        pytest.skip(f"no tables in {part}: set CRTRANSPORT_DATA to a data folder")
    if model != "clusters":
        pytest.importorskip("iminuit", reason="needs the extra fit")
    return data
