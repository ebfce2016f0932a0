"""Say where the time of a token goes, from text to labels in one thread: processor time by stage, as a table."""

from __future__ import annotations

import argparse
import functools
import gc
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as `nertag tag` does

from nertag import agreement, forms, tagger
from nertag.engine import Engine
from nertag.writers import labels

STAGES = {
    "part text at white space": (forms, "find_chunks"),
    "take the bytes of chunks for numbers": (forms, "keys_of"),
    "look chunks up, gather the rows of their tokens": (forms.Forms, "split"),
    "take in chunks that are new": (forms.Forms, "_add_chunks"),
    "split them": (forms, "split_chunk"),
    "encode forms that are new": (forms.Forms, "_add"),
    "their shapes and words, for the second look": (forms.Forms, "_describe"),
    "cut windows": (tagger, "cut_block"),
    "arrange batches": (tagger, "arrange"),
    "fill them, put logits together": (tagger.Tagger, "_logits"),
    "the graph": (Engine, "logits"),
    "second look": (agreement.Agreement, "correct"),
    "choose tags": (tagger, "choose"),
    "write labels": (labels, "labels_text"),
    "the rest": (tagger.Tagger, "label_lines"),
}


class Watch:
    """Adds up the time of nested stages, each without those inside it."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inside: list[float] = []

    def wrap(self, name: str, function: Any) -> Any:  # noqa: ANN401 - any function
        """Return a function that does the same and is timed."""

        @functools.wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
            self._inside.append(0.0)
            began = time.process_time()
            result = function(*arguments, **options)
            taken = time.process_time() - began
            self.seconds[name] += taken - self._inside.pop()
            if self._inside:
                self._inside[-1] += taken
            return result

        return timed


def main() -> None:
    """Tag a text twice, the second time with every form known, and print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path)
    parser.add_argument("--model", default="en-person")
    options = parser.parse_args()
    gc.set_threshold(100_000, 20, 20)  # as `nertag tag` does
    loaded = tagger.load(options.model)
    watch = Watch()
    for name, (place, attribute) in STAGES.items():
        setattr(place, attribute, watch.wrap(name, getattr(place, attribute)))
    columns = []
    for _ in range(2):
        watch.seconds.clear()
        tokens = 0
        with options.text.open(encoding="utf-8", newline="\n") as file:
            while text := "".join(file.readlines(tagger.COLLECTED)):
                inside, ends = loaded.label_lines(text, alone=False)
                labels.labels_text(inside, ends)
                tokens += len(inside)
        columns.append({name: watch.seconds[name] / tokens * 1e9 for name in STAGES})
    forms_met = len(loaded.forms.names)
    print(f"{tokens:,} tokens, {forms_met:,} different forms in the table at the end (ns per token)\n")
    print("| stage | first time | again |\n| --- | --- | --- |")
    for name in STAGES:
        print(f"| {name} | {columns[0][name]:.0f} | {columns[1][name]:.0f} |")
    totals = [sum(column.values()) for column in columns]
    print(f"| all | {totals[0]:.0f} | {totals[1]:.0f} |")


if __name__ == "__main__":
    main()
