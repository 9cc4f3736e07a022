"""The page is one well-formed file that loads nothing, and shows what was measured."""

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from holdfast.edge import LatencyProfile, MemoryProfile, ProfileResults
from holdfast.edge._measurement.summary import fill
from holdfast.edge._results.badge import badge
from holdfast.edge._results.html import notebook, page
from holdfast.edge._results.svg import short

VOID = {"meta", "hr", "br", "link", "img"}


class Nesting(HTMLParser):
    """Every tag is closed in the order it was opened."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.wrong, self.loads = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.loads += [value for name, value in attributes if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def parsed(text):
    found = Nesting()
    found.feed(text)
    found.close()
    return found


@pytest.fixture
def full(results):
    fill(results)
    results.add_memory_profile(
        MemoryProfile(10, 30, 20, stack_usage_kb=2, heap_usage_kb=8, static_kb=4, flash_kb=90,
                      method="exact")
    )  # fmt: skip
    results.environment_info = {"device": {"ram_bytes": 65536, "flash_bytes": 1 << 20}}
    results.session_metadata = {
        "stopped": "timeout", "failed_metrics": ["power"], "causes": {"power": "no <meter>"},
        "requests": {"ok": 40, "partial": 1}, "marks": {"contention": 3},
    }  # fmt: skip
    return results


def test_the_page_is_well_formed_and_loads_nothing(full):
    found = parsed(page([full, ProfileResults("esp32", "nothing")]))
    assert found.open == found.wrong == found.loads == []
    assert "script" not in found.seen
    assert found.seen.count("section") == 2


def test_every_picture_is_valid_svg(full):
    text = page([full])
    pictures = text.split("<svg")[1:]
    assert len(pictures) >= 6
    for one in pictures:
        svg = "<svg" + one.partition("</svg>")[0] + "</svg>"
        ET.fromstring(svg.replace("&#9632;", "").replace("&#160;", " "))


def test_the_page_shows_timeline_context_requests_percentiles_and_memory(full):
    text = page([full])
    for title in (
        "Tokens over time", "Time between tokens over context", "First token, request by request",
        "Time between tokens: percentiles", "Memory", "Theil-Sen", "34 KB of 64 KB free",
        "no &lt;meter&gt;", "3 requests marked contention", "Not measured (",
    ):  # fmt: skip
        assert title in text, title


def test_a_rare_percentile_says_how_many_more_it_needs(full):
    assert "sample too small" in page([full])
    assert "more" in full.measurements["itl_p99_ms"].cause


def test_a_result_read_back_without_records_still_has_pictures(full, tmp_path):
    full.export_json(tmp_path / "r.json")
    text = page([ProfileResults.from_json(tmp_path / "r.json")])
    assert "request by request" in text
    assert "Tokens over time" not in text


def test_arrivals_stand_in_where_the_device_has_no_clock(make_generation):
    one = ProfileResults("generic", "m")
    one.records = [make_generation()]
    one.records[0].ticks = []
    fill(one)
    assert "Tokens over time" in page([one])


def test_a_notebook_gets_a_styled_summary_of_its_own(full):
    text = notebook(full)
    assert parsed(text).wrong == []
    rules = text.partition("<style>")[2].partition("</style>")[0]
    selectors = [one for rule in rules.split("}") for one in rule.partition("{")[0].split(",")]
    assert all(one.strip().startswith(".holdfast") for one in selectors if one.strip())


def test_a_badge_is_a_small_picture_that_says_what_is_modelled(tmp_path):
    one = ProfileResults("sim-rv32", "m")
    assert "not measured" in badge(one)
    one.add_latency_profile(LatencyProfile(tokens_per_second=27.512))
    assert "27.51 tok/s<" in badge(one)
    one.test_configuration["modelled"] = "modelled(cycles)"
    one.export_badge(tmp_path / "b.svg")
    assert (
        "27.51 tok/s (modelled)" in ET.parse(tmp_path / "b.svg").getroot().attrib["aria-label"]
    )
    with pytest.raises(ValueError, match="metric must be one of"):
        badge(one, "speed")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1234.5, "1,234"), (0.00012, "0.00012"), (3e7, "3e+07"), (36.36, "36.36")],
)
def test_numbers_are_short(value, text):
    assert short(value) == text
