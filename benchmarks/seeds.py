"""Train one configuration with several seeds and score each model on a test corpus."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from shell import mention_scores, nertag


def main() -> None:
    """Train, evaluate, and print one row per seed, then mean and spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train")
    parser.add_argument("validation")
    parser.add_argument("test", nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--keep", type=Path, help="where to keep the models")
    mine, rest = sys.argv[1:], []
    if "--" in mine:
        mine, rest = mine[: mine.index("--")], mine[mine.index("--") + 1 :]
    options = parser.parse_args(mine)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        scores: dict[str, list[float]] = {test: [] for test in options.test}
        for seed in options.seeds:
            model = folder / f"seed-{seed}"
            nertag("train", options.train, "--validation", options.validation, "-o", model, "--seed", seed, *rest)
            for test in options.test:
                found = mention_scores(model, test)
                scores[test].append(found["f1"])
                row = "  ".join(f"{name} {found[name]:.4f}" for name in ("precision", "recall", "f1"))
                print(f"seed {seed}  {test}  {row}", flush=True)
    for test, values in scores.items():
        spread = f"{min(values):.4f} to {max(values):.4f}"
        print(f"mean of {len(values)}  {test}  f1 {statistics.mean(values):.4f}  ({spread})")


if __name__ == "__main__":
    main()
