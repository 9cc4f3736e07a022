"""What README and docs show runs, prints what they say, and leads somewhere."""

import json
import re
import runpy
import shlex
from pathlib import Path

import pytest

from holdfast.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def relative(page):
    return str(page.relative_to(ROOT))


def code_of(page):
    """Return the Python blocks of `page` as one script, with its line numbers kept."""
    text = page.read_text()
    lines = [""] * (text.count("\n") + 1)
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        first = text[: block.start(1)].count("\n")
        for i, line in enumerate(block[1].splitlines()):
            lines[first + i] = line
    return "\n".join(lines).rstrip()


@pytest.mark.parametrize("page", [p for p in PAGES if code_of(p)], ids=relative)
def test_python_blocks_run_in_order(page, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib").use("Agg")
    monkeypatch.chdir(tmp_path)
    exec(compile(code_of(page), page, "exec"), {"__name__": "__main__"})  # noqa: S102


def blocks(page, language):
    return re.findall(
        rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL
    )


COMMANDS = [
    line
    for page in PAGES
    for block in blocks(page, "console")
    for line in block.splitlines()
    if line.startswith("holdfast ")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)[1:]) == 0
    assert capsys.readouterr().out


def test_every_target_that_is_named_is_one():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        text = page.read_text()
        named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
        assert named <= targets, page


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_json_and_toml_can_be_read(page):
    for block in blocks(page, "json"):
        json.loads(block)
    tomllib = pytest.importorskip("tomllib")  # from Python 3.11 on
    for block in blocks(page, "toml"):
        tomllib.loads(block)


def test_the_demo_prints_what_the_readme_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(ROOT / "examples/demo.py"), run_name="__main__")
    score = re.compile(r"^(\w.*?)  +(-?\d\.\d+) +(-?\d\.\d+) +\d", re.MULTILINE)
    printed = score.findall(capsys.readouterr().out)
    (shown,) = [block for block in blocks(ROOT / "README.md", "text") if "Rand" in block]
    rows = score.findall(shown)
    assert [row[0] for row in rows] == [row[0] for row in printed]
    for row, found in zip(rows, printed, strict=True):
        # The same on every thread count, not on every processor.
        assert [float(x) for x in row[1:]] == pytest.approx(
            [float(x) for x in found[1:]], abs=0.03
        )


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_inside_the_repository_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
        assert (page.parent / target).exists(), target
        if anchor:
            text = (page.parent / target if target else page).read_text()
            heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            assert anchor in [
                re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in heads
            ]


def test_every_page_can_be_reached_from_the_readme():
    reached, new = set(), {ROOT / "README.md"}
    while new:
        page = new.pop()
        reached.add(page)
        for target in re.findall(r"\]\(([^)#:]+\.md)", page.read_text()):
            new |= {(page.parent / target).resolve()} - reached
    assert {page.resolve() for page in PAGES} <= reached


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_scripts_and_folders_that_are_named_exist(page):
    named = re.findall(r"\b(?:benches|examples|tools)/\w+\.(?:py|rs|ipynb)\b", page.read_text())
    for path in named:
        assert (ROOT / path).exists(), path
