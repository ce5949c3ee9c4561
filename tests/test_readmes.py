"""What the READMEs say works: Python blocks run, decks load, and commands parse."""

import contextlib
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from crtransport.cli import cli
from crtransport.deck.load import load_deck

ROOT = Path(__file__).parent.parent
READMES = sorted([*ROOT.glob("README.md"), *ROOT.glob("[bcist]*/README.md")])
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    """File and text of each code block in a language."""
    return [
        (path.relative_to(ROOT).as_posix(), text)
        for path in READMES
        for found, text in _BLOCK.findall(path.read_text())
        if found == language
    ]


def commands() -> list[str]:
    """Every command line of ours in the console blocks, without prompt, comment and redirection."""
    lines = [line for _, text in blocks("console") for line in text.splitlines()]
    lines = [line.removeprefix("$ ") for line in lines]
    lines = [re.split(r"\s[>|]\s|&&|;", line)[0] for line in lines]
    return [line for line in lines if line.startswith(("crtransport ", "python -m crtransport "))]


@pytest.mark.parametrize(("name", "text"), blocks("python"))
def test_python_block_runs(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(text, name, "exec"), {"__name__": "readme"})


@pytest.mark.parametrize(("name", "text"), blocks("toml"))
def test_deck_loads(name: str, text: str) -> None:
    load_deck(tomllib.loads(text))


@pytest.mark.parametrize("line", commands())
def test_command_parses(line: str) -> None:
    name, *words = shlex.split(line.partition("crtransport ")[2], comments=True)
    if name in ("--help", "--version"):
        return
    # parsing alone: unknown options and missing arguments are refused here
    with contextlib.suppress(click.exceptions.Exit):
        cli.commands[name].make_context(name, words)
