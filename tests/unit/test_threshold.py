"""The threshold on its way from `load` to the tags."""

from __future__ import annotations

import pytest

from nertag.errors import ConfigError
from nertag.tagger import load
from tests.tiny import trained_folder

# Seen in training, almost seen, and unlike anything seen.
TEXT = "Mira Olsen walked home with Tom . Bergen was closed . Xaver Quorn and the cat read a letter ."


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.5, 1.5, float("nan")])
def test_a_threshold_is_between_0_and_1(threshold: float) -> None:
    message = f"^the threshold must be more than 0 and less than 1, not {threshold}$"
    with pytest.raises(ConfigError, match=message):
        load("no-such-model", threshold)


def test_a_lower_threshold_finds_more() -> None:
    folder = trained_folder()
    counts = []
    covered: set[int] = set()
    for threshold in (0.999, 0.5, 0.05, 0.000001):
        mentions = load(folder, threshold).tag(TEXT)
        inside = {place for mention in mentions for place in range(mention.token_start, mention.token_end)}
        assert covered <= inside
        covered = inside
        counts.append(len(inside))
    assert counts[0] < counts[-1]
    assert [mention.text for mention in load(folder).tag(TEXT)][:2] == ["Mira Olsen", "Tom"]
