from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertag.model_card import CardFacts, read_card

CARD = """---
license: "mit"
language:
- en
- nb
model-index:
  - name: tiny
    results: []
---
# tiny

The first paragraph,
on two lines.

The second.

## Scores

Strict spans:

| corpus | F1 |
| --- | ---: |
| ours | 0.900 |
| theirs | - |
| broken |

| another | table |
| --- | --- |
| a | b |

## Data

| corpus | licence |
| --- | --- |
| ours | MIT |
"""


def test_a_card() -> None:
    assert read_card(CARD) == CardFacts(
        "The first paragraph, on two lines.",
        {"license": "mit", "language": "en, nb"},
        [{"corpus": "ours", "F1": "0.900"}, {"corpus": "theirs", "F1": "-"}],
    )


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("", CardFacts("", {}, [])),
        ("Only prose.", CardFacts("Only prose.", {}, [])),
        ("---\nlicense: mit\nno end", CardFacts("--- license: mit no end", {}, [])),
        ("---\n---\n", CardFacts("", {}, [])),
        ("# a\n\n```\ncode\n```\nafter", CardFacts("", {}, [])),
        ("## Scores\n\n| F1 |\n| --- |\n", CardFacts("", {}, [])),
    ],
)
def test_a_card_with_little_in_it(text: str, facts: CardFacts) -> None:
    assert read_card(text) == facts


@given(st.text(alphabet="-|#: \nScoresab`'\"\x1b", max_size=200))
def test_any_text_is_read(text: str) -> None:
    for head in ("", "---\n", "## Scores\n\n"):
        read_card(head + text)
