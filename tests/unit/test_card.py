from __future__ import annotations

from pathlib import Path
from typing import Any

from nertag.card import CorpusFacts, card_text, plot_curves
from nertag.config import ModelConfig, Recipe, TrainingConfig

BEST = {"epoch": 4, "precision": 0.91234, "recall": 0.8, "f1": 0.852}
CORPORA = [CorpusFacts("org/names", 1200, 34_000, 567), CorpusFacts("mine.conll", 3, 20, 0)]


def card(**changes: Any) -> list[str]:
    """Write a card and return its lines."""
    recipe = Recipe(**changes)
    return card_text("ours", recipe, CORPORA, CORPORA[1:], BEST, "1.2.3").splitlines()


def test_a_card_states_data_settings_and_scores() -> None:
    lines = card(
        vectors="glove.txt",
        model=ModelConfig(cell="gru", layers=2, hidden_size=64, labels=("PER", "ORG"), shapes=False),
        training=TrainingConfig(epochs=9, seed=5, learning_rate=0.01, lower_share=0.1),
    )
    assert lines[0] == "---" and lines[4] == "# ours"
    for line in (
        "A model of nertag 1.2.3 for the labels PER, ORG.",
        'nertag tag --model ours --text "..."',
        "| `org/names` | 1,200 | 34,000 | 567 |",
        "| `mine.conll` | 3 | 20 | 0 |",
        "- 2 × gru (bidirectional), 64 units per direction",
        "- embedding: pretrained from `glove.txt`",
        "- characters: yes; shapes: no",
        "- best epoch 4 of at most 9; seed 5",
        "| 0.9123 | 0.8000 | 0.8520 |",
    ):
        assert line in lines, line
    assert lines.count("| `mine.conll` | 3 | 20 | 0 |") == 2


def test_a_card_names_where_words_come_from() -> None:
    assert "- embedding: learned" in card(model=ModelConfig(embedding="learned"))
    assert "- embedding: learned, weights and words from `models/old`" in card(
        from_model="models/old", model=ModelConfig(embedding="learned")
    )


def test_curves_are_drawn_to_a_png(tmp_path: Path) -> None:
    history = [
        {
            "epoch": n,
            "loss": 1 / n,
            "gradient_norm": 2.0,
            "learning_rate": 0.1,
            "precision": 0.1,
            "recall": 0.2,
            "f1": 0.1 * n,
        }
        for n in (1, 2, 3)
    ]
    pictures = []
    for length in (1, 3):
        path = tmp_path / f"{length}.png"
        plot_curves(history[:length], path)
        pictures.append(path.read_bytes())
        assert pictures[-1].startswith(b"\x89PNG\r\n\x1a\n")
    assert pictures[0] != pictures[1]
