"""The folder of measured tables, for tests that need one."""

from pathlib import Path

import pytest

from crtransport.measurements import data_folder

_PARTS = {"clusters": "gc-4fgl", "bump": "cr-kiss", "components": "cr-kiss"}


def tables_of(model: str) -> Path:
    """The data folder, if what decks of a model need is there; else the test is left out."""
    data = data_folder()
    if data is None or not (data / _PARTS[model]).is_dir():
        pytest.skip(f"no tables in {_PARTS[model]}: set CRTRANSPORT_DATA to a data folder")
    if model != "clusters":
        pytest.importorskip("iminuit", reason="needs the extra fit")
    return data
