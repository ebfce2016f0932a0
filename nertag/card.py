"""Facts about a training run in; its model card and the plot of its curves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nertag.config import Recipe


@dataclass(frozen=True, slots=True)
class CorpusFacts:
    """One corpus as a card names it.

    Attributes:
        source: As the user named it.
        sentences: How many.
        tokens: How many.
        mentions: How many.
    """

    source: str
    sentences: int
    tokens: int
    mentions: int


def card_text(
    name: str,
    recipe: Recipe,
    corpora: Sequence[CorpusFacts],
    validation: Sequence[CorpusFacts],
    best: Mapping[str, Any],
    version: str,
) -> str:
    """Write a model card.

    Args:
        name: The model's name.
        recipe: What made it.
        corpora: What it learned from.
        validation: What its best epoch was chosen on.
        best: The history line of that epoch.
        version: Of nertag.

    Returns:
        Markdown with the Hub's YAML header.
    """
    model, training = recipe.model, recipe.training
    origin = f", weights and words from `{recipe.from_model}`" if recipe.from_model else ""
    origin += f" from `{recipe.vectors}`" if recipe.vectors else ""
    network = [
        f"- {model.layers} × {model.cell} ({model.direction}), {model.hidden_size} units per direction",
        f"- embedding: {model.embedding}{origin}",
        f"- characters: {'yes' if model.characters else 'no'}; shapes: {'yes' if model.shapes else 'no'}",
        f"- output: {model.output}; windows of up to {model.window} tokens",
    ]
    settings = [
        f"- best epoch {best['epoch']} of at most {training.epochs}; seed {training.seed}",
        f"- learning rate {training.learning_rate}, dropout {training.dropout}, word dropout {training.word_dropout}",
        f"- windows lower-cased {training.lower_share:.0%}, upper-cased {training.upper_share:.0%}, "
        f"title-cased {training.title_share:.0%}",
    ]
    lines = [
        "---",
        "library_name: nertag",
        "pipeline_tag: token-classification",
        "---",
        f"# {name}",
        "",
        f"A model of nertag {version} for the labels {', '.join(model.labels)}.",
        "",
        "```",
        f'nertag tag --model {name} --text "..."',
        "```",
        "",
        "## Data",
        "",
        *_table(corpora),
        "",
        "Validation, on which the best epoch was chosen:",
        "",
        *_table(validation),
        "",
        "## Network",
        "",
        *network,
        "",
        "## Training",
        "",
        *settings,
        "",
        "Every setting is in `recipe.toml`, every epoch in `training.jsonl`.",
        "",
        "## Scores",
        "",
        "Mentions on all validation sentences together, strict spans:",
        "",
        "| precision | recall | F1 |",
        "| --- | --- | --- |",
        f"| {best['precision']:.4f} | {best['recall']:.4f} | {best['f1']:.4f} |",
        "",
    ]
    return "\n".join(lines)


def _table(corpora: Sequence[CorpusFacts]) -> list[str]:
    """Return a Markdown table of corpora."""
    rows = [f"| `{c.source}` | {c.sentences:,} | {c.tokens:,} | {c.mentions:,} |" for c in corpora]
    return ["| source | sentences | tokens | mentions |", "| --- | ---: | ---: | ---: |", *rows]


def plot_curves(history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw loss, validation scores, gradient norm and learning rate over the epochs.

    Args:
        history: The lines of `training.jsonl`.
        path: The PNG file to write.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    FigureCanvasAgg(figure)
    epochs = [line["epoch"] for line in history]
    panels = figure.subplots(2, 2, sharex=True)
    curves = (("loss",), ("precision", "recall", "f1"), ("gradient_norm",), ("learning_rate",))
    titles = ("training loss", "validation", "gradient norm before clipping", "learning rate")
    for panel, names, title in zip(panels.flat, curves, titles, strict=True):
        for name in names:
            panel.plot(epochs, [line[name] for line in history], label=name, marker=".")
        panel.set_title(title)
        panel.grid(alpha=0.3)
    panels.flat[1].legend()
    for panel in panels[1]:
        panel.set_xlabel("epoch")
    figure.savefig(path, dpi=110)
