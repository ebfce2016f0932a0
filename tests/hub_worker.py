"""Loads corpora in a process of its own, since the Hub's libraries read HF_ENDPOINT once, when they are imported.

One JSON request a line on standard input, one JSON answer a line on standard output. Nothing sleeps: waits are kept.
"""

from __future__ import annotations

import json
import sys
import time

naps: list[float] = []
time.sleep = naps.append

from nertag.data import ReadOptions, load_corpus  # noqa: E402 - after time.sleep was replaced
from nertag.errors import NertagError  # noqa: E402


def answer(source: str, split: str) -> dict[str, object]:
    naps.clear()
    notices: list[str] = []
    try:
        corpus = load_corpus(source, split, ReadOptions(), notices.append)
    except NertagError as error:
        return {"error": str(error), "notices": notices, "naps": [*naps]}
    sentences = [[*sentence.words] for sentence in corpus.sentences]
    tags = [[*sentence.tags] for sentence in corpus.sentences]
    return {"name": corpus.name, "words": sentences, "tags": tags, "notices": notices, "naps": [*naps]}


for line in sys.stdin:
    print(json.dumps(answer(*json.loads(line))), flush=True)  # noqa: T201 - what the test reads
