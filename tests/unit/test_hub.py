"""Hub ids against a Hub on the loopback interface."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest

from nertag.hub import CONVERTED, HubSource, parse_hub_id
from tests import hub_server
from tests.hub_server import Hub, Repository

ROOT = Path(__file__).parents[2]
CARD = b"""---
configs:
- config_name: novels
  data_files:
  - split: train
    path: novels/train.jsonl
  - split: dev
    path: novels/dev.jsonl
- config_name: letters
  data_files: letters/*.jsonl
---
Two kinds of text.
"""
FEATURES_CARD = b"""---
dataset_info:
  features:
  - name: tokens
    sequence: string
  - name: ner_tags
    sequence:
      class_label:
        names:
          '0': O
          '1': B-PER
          '2': I-PER
---
"""


def rows(*sentences: tuple[list[str], list[Any]]) -> bytes:
    lines = [json.dumps({"tokens": words, "ner_tags": tags}) for words, tags in sentences]
    return "\n".join(lines).encode()


def parquet(words: list[str], tags: list[int]) -> bytes:
    names = datasets.ClassLabel(names=["O", "B-PER", "I-PER", "B-ORG"])
    features = datasets.Features({"tokens": datasets.List(datasets.Value("string")), "ner_tags": datasets.List(names)})
    buffer = io.BytesIO()
    datasets.Dataset.from_dict({"tokens": [words], "ner_tags": [tags]}, features=features).to_parquet(buffer)
    return buffer.getvalue()


PLAIN = rows((["Ada", "wrote"], ["B-PER", "O"]))
OLD = rows((["Old", "Ada"], ["O", "B-PER"]))
REPOSITORIES = {
    "acme/people": Repository(
        {
            "main": {"train.jsonl": OLD, "test.jsonl": PLAIN, "README.md": b"# People\n"},
            "v1": {"test.jsonl": OLD},
        }
    ),
    "acme/configs": Repository(
        {"main": {"README.md": CARD, "novels/train.jsonl": OLD, "novels/dev.jsonl": PLAIN, "letters/a.jsonl": OLD}}
    ),
    "acme/numbers": Repository(
        {"main": {"README.md": FEATURES_CARD, "test.jsonl": rows((["Ada", "Lovelace", "wrote"], [1, 2, 0]))}}
    ),
    "acme/broken": Repository({"main": {"data/test.jsonl": rows((["Ada"], ["B-PER"]), (["Ada", "wrote"], ["B-PER"]))}}),
    "acme/pictures": Repository({"main": {"README.md": b"# Nothing to read\n", "face.bin": b"\0"}}),
    "acme/nocolumn": Repository({"main": {"test.jsonl": b'{"id": 1, "body": "Ada"}\n'}}),
    "acme/gated": Repository({"main": {"test.jsonl": PLAIN}}, gated=True),
    "acme/secret": Repository({"main": {"test.jsonl": PLAIN}}, private=True),
    "eriktks/conll2003": Repository(
        {
            "main": {"conll2003.py": b"import datasets\n", "README.md": b"# CoNLL-2003\n"},
            CONVERTED: {
                "conll2003/test/0000.parquet": parquet(["Ada", "left", "Acme"], [1, 0, 3]),
                "conll2003/train/0000.parquet": parquet(["Ada"], [1]),
            },
        }
    ),
    "acme/languages": Repository(
        {
            "main": {"languages.py": b""},
            CONVERTED: {
                "de/test/0000.parquet": parquet(["Ada", "ging"], [1, 0]),
                "en/test/0000.parquet": parquet(["Ada"], [1]),
                "en/test/0001.parquet": parquet(["left"], [0]),
            },
        }
    ),
    "acme/onlyscript": Repository({"main": {"onlyscript.py": b""}}),
}
SCRIPT_NOTICE = "a loading script, which `datasets` no longer runs; reading its Parquet conversion refs/convert/parquet"


class Worker:
    """A process that loads corpora from the Hub at an address, with a cache of its own or another's."""

    def __init__(self, endpoint: str, home: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/hub_worker.py")],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "HF_ENDPOINT": endpoint,
                "HF_HOME": str(home),
                "HF_UPDATE_DOWNLOAD_COUNTS": "0",
                **environment,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def load(self, source: str, split: str = "test") -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([source, split]) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        self.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[Hub, str]]:
    served = Hub(REPOSITORIES)
    server, address = hub_server.start(served)
    yield served, address
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def worker(hub: tuple[Hub, str], home: Path) -> Iterator[Worker]:
    process = Worker(hub[1], home)
    yield process
    process.close()


@pytest.mark.parametrize(
    ("source", "parsed"),
    [
        ("acme/people", HubSource("acme/people")),
        ("acme/people:novels", HubSource("acme/people", "novels")),
        ("acme/people@v1.0", HubSource("acme/people", None, "v1.0")),
        ("acme/people:a b (c)@refs/pr/1", HubSource("acme/people", "a b (c)", "refs/pr/1")),
        ("conll2003", HubSource("eriktks/conll2003")),
        ("wnut_17@main", HubSource("leondz/wnut_17", None, "main")),
    ],
)
def test_hub_ids_are_read(source: str, parsed: HubSource) -> None:
    assert parse_hub_id(source) == parsed


@pytest.mark.parametrize("source", ["people", "a/b/c", "", "acme/", "acme/people:", "acme/people@", "a b/c"])
def test_what_is_no_hub_id_is_refused(source: str) -> None:
    assert parse_hub_id(source) is None


def test_a_repository_of_data_files(worker: Worker) -> None:
    answer = worker.load("acme/people")
    assert answer == {
        "name": "acme/people",
        "words": [["Ada", "wrote"]],
        "tags": [["B-PER", "O"]],
        "notices": [],
        "naps": [],
    }


def test_another_split_and_another_revision_hold_something_else(worker: Worker) -> None:
    assert worker.load("acme/people", "train")["words"] == [["Old", "Ada"]]
    assert worker.load("acme/people@v1")["words"] == [["Old", "Ada"]]


def test_the_card_names_configurations_and_a_split_may_be_called_dev(worker: Worker) -> None:
    answer = worker.load("acme/configs:novels", "validation")
    assert (answer["name"], answer["words"]) == ("acme/configs:novels", [["Ada", "wrote"]])


def test_the_card_names_what_integers_mean(worker: Worker) -> None:
    assert worker.load("acme/numbers")["tags"] == [["B-PER", "I-PER", "O"]]


def test_a_loading_script_is_read_from_its_conversion_and_a_bare_name_is_known(worker: Worker) -> None:
    answer = worker.load("conll2003")
    assert (answer["words"], answer["tags"]) == ([["Ada", "left", "Acme"]], [["B-PER", "O", "O"]])
    assert answer["notices"] == [f"eriktks/conll2003: {SCRIPT_NOTICE}"]


def test_a_conversion_of_several_configurations_in_shards(worker: Worker) -> None:
    assert worker.load("acme/languages:en")["words"] == [["Ada"], ["left"]]


@pytest.mark.parametrize(
    ("source", "split", "error"),
    [
        (
            "acme/nobody",
            "test",
            "acme/nobody: no such dataset on the Hub, or a private one\n"
            "  hint: Check the name at {endpoint}/datasets; for a private dataset set HF_TOKEN.",
        ),
        (
            "acme/secret",
            "test",
            "acme/secret: no such dataset on the Hub, or a private one\n"
            "  hint: Check the name at {endpoint}/datasets; for a private dataset set HF_TOKEN.",
        ),
        (
            "acme/gated",
            "test",
            "acme/gated: this dataset is gated, and you have no access to it\n"
            "  hint: Ask for access at {endpoint}/datasets/acme/gated and set HF_TOKEN to a token that has it.",
        ),
        ("acme/people@v2", "test", "acme/people@v2: no revision 'v2'\n  hint: There are: main, v1."),
        (
            "acme/configs:plays",
            "train",
            "acme/configs: no configuration 'plays'\n  hint: There are: novels, letters.",
        ),
        (
            "acme/configs",
            "train",
            "acme/configs: has several configurations\n"
            "  hint: There are: novels, letters. Name one: acme/configs:novels.",
        ),
        ("acme/people", "validation", "acme/people: no validation split\n  hint: There are: train, test."),
        (
            "acme/pictures",
            "test",
            "acme/pictures: no data files that can be read\n"
            "  hint: They end in .jsonl, .ndjson, .json, .csv, .tsv, .parquet, .conll, .conllu, .iob2, .iob, .bio, "
            ".txt.",
        ),
        (
            "acme/nocolumn",
            "test",
            "acme/nocolumn/test.jsonl: no column of tokens (tokens, words, text, sentence)\n"
            "  hint: Columns: id, body. Name one with --tokens-column.",
        ),
        (
            "acme/broken",
            "test",
            "acme/broken/data/test.jsonl:2: 2 tokens but 1 tags: 'Ada wrote'\n"
            "  hint: --skip-bad-rows leaves such rows out.",
        ),
        ("conll2003", "validation", "eriktks/conll2003: no validation split\n  hint: There are: test, train."),
        (
            "conll2003@main",
            "test",
            "eriktks/conll2003@main: revision 'main' is a loading script, which `datasets` no longer runs\n"
            "  hint: Leave out @main to read the Parquet conversion of the newest revision.",
        ),
        (
            "acme/languages",
            "test",
            "acme/languages: has several configurations\n  hint: There are: de, en. Name one: acme/languages:de.",
        ),
        (
            "acme/languages:fr",
            "test",
            "acme/languages: no configuration 'fr'\n  hint: There are: de, en.",
        ),
        (
            "acme/onlyscript",
            "test",
            "acme/onlyscript: is a loading script, which `datasets` no longer runs, and the Hub has no Parquet "
            "conversion of it\n  hint: Look for a copy of the dataset in a data format.",
        ),
    ],
)
def test_what_is_missing_gets_one_sentence(
    worker: Worker, hub: tuple[Hub, str], source: str, split: str, error: str
) -> None:
    assert worker.load(source, split)["error"] == error.format(endpoint=hub[1])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (503, "the Hub answered 503"),
        (0, "no connection to the Hub (Server disconnected without sending a response.)"),
    ],
)
def test_passing_faults_are_tried_again_with_longer_waits(
    worker: Worker, hub: tuple[Hub, str], fault: int, said: str
) -> None:
    hub[0].faults[:] = [fault, fault]
    answer = worker.load("acme/people")
    assert answer["words"] == [["Ada", "wrote"]]
    assert answer["naps"] == [1.0, 2.0]
    assert answer["notices"] == [
        f"acme/people: {said}; trying again in 1 seconds",
        f"acme/people: {said}; trying again in 2 seconds",
    ]


def test_a_fault_that_stays_is_an_error_after_four_attempts(worker: Worker, hub: tuple[Hub, str]) -> None:
    hub[0].faults[:] = [503] * 4
    answer = worker.load("acme/people")
    assert answer["error"] == (
        "acme/people: the Hub answered 503, 4 times in a row\n"
        "  hint: Try again later, or set HF_HUB_OFFLINE=1 to use what was downloaded before."
    )
    assert answer["naps"] == [1.0, 2.0, 4.0]
    assert hub[0].faults == []


def test_a_fault_of_the_data_is_not_tried_again(worker: Worker, hub: tuple[Hub, str]) -> None:
    asked = len(hub[0].requests)
    assert worker.load("acme/nobody")["naps"] == []
    assert len(hub[0].requests) == asked + 1


def test_a_token_opens_private_and_gated_datasets(hub: tuple[Hub, str], tmp_path: Path) -> None:
    worker = Worker(hub[1], tmp_path, HF_TOKEN=hub[0].token)
    assert worker.load("acme/secret")["words"] == [["Ada", "wrote"]]
    assert worker.load("acme/gated")["words"] == [["Ada", "wrote"]]
    worker.close()


def test_offline_the_cache_serves_what_was_downloaded(worker: Worker, hub: tuple[Hub, str], home: Path) -> None:
    for source, split in (("acme/people", "test"), ("acme/configs:novels", "validation"), ("conll2003", "test")):
        worker.load(source, split)
    asked = len(hub[0].requests)
    offline = Worker(hub[1], home, HF_HUB_OFFLINE="1")
    assert offline.load("acme/people")["words"] == [["Ada", "wrote"]]
    assert offline.load("acme/configs:novels", "validation")["words"] == [["Ada", "wrote"]]
    answer = offline.load("conll2003")
    assert (answer["tags"], answer["notices"]) == ([["B-PER", "O", "O"]], [f"eriktks/conll2003: {SCRIPT_NOTICE}"])
    assert offline.load("acme/secret")["error"] == (
        "acme/secret: not in the cache, and HF_HUB_OFFLINE is set\n  hint: Unset it to download the dataset."
    )
    offline.close()
    assert len(hub[0].requests) == asked
