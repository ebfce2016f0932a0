"""The HTML page in Chromium: it shows the text, can be read in light and dark, jumps, and loads nothing else."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if os.name == "posix":
    from tests.chromium import CHROMIUM, Browser, browser
else:
    CHROMIUM = None

if TYPE_CHECKING:
    from .conftest import RunTag

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]

TEXT = (
    'then Mira Olsen met Tom & said\t"<b>hello</b>", Acme.\x00\n\n'
    + "nothing happened\n" * 200
    + "at last Ada came\n"
    + "nothing happened\n" * 200
    + "Ada left\n"
)


@pytest.fixture
def page(run_tag: RunTag, tmp_path: Path) -> Iterator[Browser]:
    path = tmp_path / "page.html"
    path.write_text(run_tag("--format", "html", stdin=TEXT.encode()).out, encoding="utf-8")
    with browser(tmp_path / "profile") as found:
        found.open(path.as_uri())
        yield found


def test_the_page_shows_the_text_and_nothing_is_amiss(page: Browser) -> None:
    assert page.evaluate("document.compatMode") == "CSS1Compat"
    assert page.evaluate("document.querySelector('.text').textContent") == TEXT.replace("\0", "␀")
    assert page.evaluate("[...document.querySelectorAll('mark')].map(mark => mark.textContent)") == [
        "Mira Olsen",
        "Tom",
        "Acme",
        "Ada",
        "Ada",
    ]
    assert page.evaluate("[...document.querySelectorAll('nav li > a')].map(name => name.textContent)") == [
        "Ada",
        "Acme",
        "Mira Olsen",
        "Tom",
    ]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    loaded = {
        event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"
    }
    assert [url.rpartition("/")[2] for url in loaded] == ["page.html"]
    assert [event for event in page.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")] == []


IN_VIEW = "(box => 0 <= box.top && box.bottom <= innerHeight)(document.querySelector('%s').getBoundingClientRect())"


def test_names_jump_to_mentions_and_back(page: Browser) -> None:
    mentions = "nav li:first-child details a"
    assert not page.evaluate(IN_VIEW % "#m4")
    page.evaluate("document.querySelector('nav li > a').click()")
    assert page.evaluate(IN_VIEW % "#m4")
    assert page.evaluate("document.querySelector(':target').id") == "m4"
    page.evaluate("document.querySelector('summary').click()")
    page.evaluate(f"document.querySelectorAll('{mentions}')[1].click()")
    assert page.evaluate(IN_VIEW % "#m5") and not page.evaluate(IN_VIEW % "#m4")
    assert page.evaluate(IN_VIEW % "nav h1"), "the list stays in view"
    page.evaluate("document.querySelector('#m5 a').click()")
    assert page.evaluate("document.querySelector(':target').textContent").startswith("Ada")


CONTRASTS = """
(() => {
  const colour = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const ground = element => {
    while (element && getComputedStyle(element).backgroundColor === 'rgba(0, 0, 0, 0)') element = element.parentElement;
    return colour(getComputedStyle(element).backgroundColor);
  };
  const text = document.querySelector('.text');
  for (let i = 1; i < 6; i++) text.innerHTML += `<mark class="m${i}"><a href="">x</a></mark>`;
  return ['.text', 'h2', 'nav p', 'nav li > a', 'summary', 'small']
    .concat(['mark a', '.m1 a', '.m2 a', '.m3 a', '.m4 a', '.m5 a'])
    .map(place => document.querySelector(place))
    .map(element => [element.outerHTML.slice(0, 40), colour(getComputedStyle(element).color), ground(element)]);
})()
"""


def luminance(colour: list[float]) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_in_light_and_dark(page: Browser, scheme: str) -> None:
    page.prefer(scheme)
    found = page.evaluate(CONTRASTS)
    assert len(found) == 12
    for place, ink, ground in found:
        bright, dim = sorted((luminance(ink), luminance(ground)), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, (place, ink, ground)
        assert (luminance(ground) > 0.5) == (scheme == "light")


@pytest.mark.parametrize(("scheme", "mark", "ring"), [("light", "ffe48a", "b3261e"), ("dark", "5c4700", "ff9d94")])
def test_highlights_are_seen(page: Browser, scheme: str, mark: str, ring: str) -> None:
    page.prefer(scheme)
    assert bytes.fromhex(mark) in colours(page.screenshot())
    assert bytes.fromhex(ring) not in colours(page.screenshot())
    page.evaluate("document.querySelector('nav li > a').click()")
    assert bytes.fromhex(ring) in colours(page.screenshot())


def colours(picture: bytes) -> set[bytes]:
    """Return the colours of a picture."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as image:
        found = image.convert("RGB").getcolors(maxcolors=1 << 24)
    return {bytes(colour) for _, colour in found}


def test_a_narrow_screen_has_the_list_above_the_text(page: Browser) -> None:
    page.call("Emulation.setDeviceMetricsOverride", width=390, height=700, deviceScaleFactor=1, mobile=True)
    boxes = (
        "[document.querySelector('nav'), document.querySelector('main')].map(part => part.getBoundingClientRect().%s)"
    )
    names, text = page.evaluate(boxes % "bottom"), page.evaluate(boxes % "top")
    assert names[0] <= text[1] and names[0] <= 350
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_browser_would_notice_what_is_amiss(tmp_path: Path, run_tag: RunTag) -> None:
    """The tests above can fail: a page that runs a script or loads a picture is told on by its policy."""
    content = run_tag("--format", "html", "--text", "Tom").out
    path = tmp_path / "page.html"
    path.write_text(re.sub("</main>", "<script>document.title = 1</script></main>", content), encoding="utf-8")
    with browser(tmp_path / "profile") as found:
        found.open(path.as_uri())
        assert found.evaluate("document.title") == "Names in the text"
        assert any("Content Security Policy" in str(event) for event in found.events)
