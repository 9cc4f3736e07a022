"""The Python in README and docs runs, and links between the pages lead somewhere."""

import re
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_inside_the_repository_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_scripts_and_folders_that_are_named_exist(page):
    named = re.findall(r"\b(?:benches|examples|tools)/\w+\.(?:py|rs|ipynb)\b", page.read_text())
    for path in named:
        assert (ROOT / path).exists(), path
