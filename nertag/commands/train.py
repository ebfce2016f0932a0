"""`nertag train`: corpora in, a model folder out."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nertag._version import __version__
from nertag.commands.extras import require_train_extra
from nertag.config import ModelConfig, Recipe, from_mapping, to_mapping
from nertag.console import note
from nertag.errors import ConfigError, DataError, ModelError, TrainingError
from nertag.features import RESERVED, FormTable, Vocabulary, count_words, known_characters
from nertag.model_folder import (
    CARD,
    CONFIG,
    CURVES,
    DEFAULT,
    GRAPH,
    HISTORY,
    RECIPE,
    VOCABULARY,
    WEIGHTS,
    FolderConfig,
    check_target,
    config_json,
    find,
    new_folder,
    read_agreement,
    read_config,
    read_vocabulary,
    shipped_names,
)
from nertag.progress import TrainingProgress
from nertag.vocabulary import vocabulary_bytes

if TYPE_CHECKING:
    import torch

    from nertag.card import CorpusFacts
    from nertag.checkpoint import Checkpoint
    from nertag.data import Corpus, Sentence
    from nertag.names import RegionNames
    from nertag.network import Network
    from nertag.soft_labels import SoftSentence
    from nertag.training import Trainer


def train(
    settings: Mapping[str, Any],
    *,
    output: Path,
    recipe_path: Path | None = None,
    force: bool = False,
    resume: bool = False,
    quiet: bool = False,
) -> None:
    """Train a model and write its folder.

    Args:
        settings: Fields of `Recipe`, those of its `model` and `training` in mappings of their own; they win over the
            recipe file's.
        output: The model folder to write.
        recipe_path: A TOML file with further settings.
        force: Whether a model at `output` may be replaced.
        resume: Whether to go on from the checkpoint beside `output`.
        quiet: Whether to say nothing but errors.

    Raises:
        ConfigError: If a setting makes no sense, or there is nothing to resume or no leave to start anew.
        NertagError: If a corpus or the output is not as it must be.
        KeyboardInterrupt: If interrupted; the checkpoint of the last finished epoch stays.
    """
    require_train_extra("train")
    check_target(output, replace=force)
    from nertag.data import check_source
    from nertag.names import read_names
    from nertag.recipes import read_recipe
    from nertag.soft_labels import read_soft_labels
    from nertag.vectors import find_vectors

    given = _merge(read_recipe(recipe_path) if recipe_path else {}, settings)
    path = checkpoint_path(output)
    checkpoint = None
    if resume:
        from nertag.checkpoint import read_checkpoint

        checkpoint = read_checkpoint(path)
        given = _merge(checkpoint.recipe, given)
    elif path.exists() and not force:
        raise ConfigError(
            "there is the checkpoint of an interrupted run",
            path=path,
            hint="Go on from it with --resume, or drop it with --force.",
        )
    recipe = _complete(from_mapping(Recipe, given, where="settings"), given)
    if checkpoint and to_mapping(recipe) != checkpoint.recipe:
        changed = ", ".join(_differences(checkpoint.recipe, to_mapping(recipe)))
        raise ConfigError(f"a resumed run keeps its settings, but these are different: {changed}", path=path)
    for source in dict.fromkeys((*recipe.sources, *recipe.validation)):
        check_source(source)
    if recipe.vectors:
        find_vectors(recipe.vectors)
    regions = read_names(Path(recipe.names)) if recipe.names else []
    soft = [s for path in recipe.soft_labels for s in read_soft_labels(Path(path), recipe.model.outputs)]
    _Run(recipe, regions, soft, output, _silent if quiet else note, quiet=quiet).go(checkpoint, force=force)


def checkpoint_path(output: Path) -> Path:
    """Return where the checkpoint of a model in the making lies: beside its folder."""
    return output.with_name(f"{output.name}.checkpoint.safetensors")


def _silent(message: str) -> None:
    """Take a note and keep it to oneself."""


def _merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with those of `second` over those of `first`, table by table."""
    merged = dict(first)
    for name, value in second.items():
        merged[name] = _merge(merged.get(name, {}), value) if isinstance(value, Mapping) else value
    return merged


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the names of settings that differ."""
    names: list[str] = []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            names += _differences(before, after, f"{prefix}{name}.")
        elif before != after:
            names.append(f"{prefix}{name}")
    return names


def _complete(recipe: Recipe, given: Mapping[str, Any]) -> Recipe:
    """Fill in what follows from other settings, and check that the whole makes sense.

    Returns:
        The recipe with the word vectors or the network's shape filled in.

    Raises:
        ConfigError: If something is missing or contradicts something else.
    """
    if not recipe.sources:
        raise ConfigError(
            "there is nothing to train on", hint="Name at least one SOURCE: a file, a folder or a Hub id."
        )
    if recipe.soft_labels and recipe.model.output == "binary":
        raise ConfigError("soft labels need output 'iob2'")
    if recipe.names and not recipe.training.swap_share:
        raise ConfigError(f"names are read from {recipe.names!r}, but none are swapped", hint="Set --swap-share.")
    if not recipe.validation:
        raise ConfigError("there is nothing to choose the best epoch on", hint="Name corpora with --validation SOURCE.")
    if recipe.from_model:
        shape = read_config(find(recipe.from_model)).model
        kept, wanted = to_mapping(shape), to_mapping(recipe.model)
        for name in given.get("model", {}):
            if kept[name] != wanted[name]:
                message = f"has {name} {kept[name]!r}, which cannot become {wanted[name]!r}"
                raise ConfigError(f"model {recipe.from_model!r} {message}")
        if recipe.vectors:
            raise ConfigError(
                f"model {recipe.from_model!r} keeps its own word vectors: --from and --vectors exclude each other"
            )
        return replace(recipe, model=shape)
    if recipe.model.embedding != "pretrained":
        if recipe.vectors:
            raise ConfigError(f"--vectors goes with embedding 'pretrained', not {recipe.model.embedding!r}")
        return recipe
    if recipe.vectors is None and DEFAULT not in shipped_names():
        raise ConfigError(
            "embedding 'pretrained' needs word vectors",
            hint="Name a GloVe text file with --vectors, or choose --embedding learned.",
        )
    return replace(recipe, vectors=recipe.vectors or DEFAULT)


class _Run:
    """One training run.

    Args:
        recipe: Complete.
        regions: Names to swap in.
        soft: Text with soft labels.
        output: The model folder to write.
        say: Takes notes for the user.
        quiet: Whether progress is drawn.
    """

    def __init__(
        self,
        recipe: Recipe,
        regions: Sequence[RegionNames],
        soft: Sequence[SoftSentence],
        output: Path,
        say: Callable[[str], None],
        *,
        quiet: bool,
    ) -> None:
        self.recipe = recipe
        self.regions = regions
        self.soft = soft
        self.output = output
        self.say = say
        self.quiet = quiet
        self.history: list[Mapping[str, Any]] = []

    def go(self, checkpoint: Checkpoint | None, *, force: bool) -> None:
        """Load, train, write.

        Raises:
            ConfigError: If the checkpoint is another run's.
            TrainingError: If there is too little memory, or the model cannot be written; its checkpoint stays.
        """
        import torch

        device = _device(self.recipe.training.device)
        torch.set_num_threads(1)  # measured: with the small steps of these networks a second thread only waits
        training = self._load("train", self.recipe.sources)
        validation = self._load("validation", self.recipe.validation)
        torch.manual_seed(self.recipe.training.seed)
        _check_memory(self.recipe.model, device)
        with _memory_errors():
            vocabulary, network = self._network([s for corpus in training for s in corpus.sentences])
            trainer = self._trainer(vocabulary, network, training, validation, device)
        data = _fingerprint(vocabulary, network, self.regions, self.soft, [*training, *validation])
        path = checkpoint_path(self.output)
        if checkpoint:
            if checkpoint.data != data:
                raise ConfigError(
                    "the corpora, word vectors or names are not what they were when this run began",
                    path=path,
                    hint="Start anew with --force.",
                )
            try:
                trainer.resume(checkpoint.tensors, checkpoint.progress)
            except (KeyError, RuntimeError) as error:
                raise ConfigError(
                    f"it is not the checkpoint of this network: {error}", path=path, hint="Start anew with --force."
                ) from None
            self.history = list(checkpoint.history)
            self.say(f"going on after epoch {trainer.epoch}")
        else:
            path.unlink(missing_ok=True)
        with _memory_errors():
            if self.recipe.model.agreement and not trainer.agreement:
                self._take_second_look(trainer)
            self._train(trainer, data, force=force)
        trainer.take_best()
        try:
            self._write(trainer, vocabulary, training, validation, force=force)
        except OSError as error:
            hint = "Go on from its checkpoint with --resume."
            raise TrainingError(f"it cannot be written: {error}", hint=hint, path=self.output) from None
        path.unlink(missing_ok=True)

    def _load(self, split: str, sources: Sequence[str]) -> list[Corpus]:
        """Read corpora; one named twice is read once.

        Returns:
            One for each source, in order.

        Raises:
            DataError: If one cannot be read, or there is not one mention in all of them.
        """
        from nertag.data import ReadOptions, load_corpus

        recipe = self.recipe
        options = ReadOptions(
            labels=recipe.model.labels,
            tokens_column=recipe.tokens_column,
            tags_column=recipe.tags_column,
            scheme=recipe.scheme,
            person_labels=recipe.person_labels,
            skip_bad_rows=recipe.skip_bad_rows,
        )
        read: dict[str, Corpus] = {}
        mentions = 0
        for source in dict.fromkeys(sources):
            corpus = read[source] = load_corpus(source, split, options, self.say)
            facts = _facts(source, corpus)
            mentions += facts.mentions
            counts = f"{facts.sentences:,} sentences, {facts.tokens:,} tokens, {facts.mentions:,} mentions"
            self.say(f"{split}: {source}: {counts}")
        if not mentions:
            purpose = "learn from" if split == "train" else "choose the best epoch by"
            raise DataError(
                f"there is not one mention of {' or '.join(recipe.model.labels)} to {purpose}", path=", ".join(read)
            )
        return [read[source] for source in sources]

    def _network(self, sentences: Sequence[Sentence]) -> tuple[Vocabulary, Network]:
        """Make the network and the vocabulary it knows, or take both from a model."""
        from nertag.network import Network

        recipe = self.recipe
        dropout, word_dropout = recipe.training.dropout, recipe.training.word_dropout
        if recipe.from_model:
            return _from_model(find(recipe.from_model), dropout, word_dropout)
        counts = count_words(word for sentence in sentences for word in sentence.words)
        characters = known_characters(counts)
        if recipe.model.embedding != "pretrained":
            ranked = sorted(counts, key=lambda word: (-counts[word], word))
            vocabulary = Vocabulary(ranked[: recipe.model.vocabulary_size], characters, recipe.model.word_parts)
            size = recipe.model.embedding_size
            rows = len(characters) + RESERVED
            return vocabulary, Network(recipe.model, vocabulary.size, rows, size, dropout, word_dropout)
        import numpy as np
        import torch

        from nertag.vectors import read_vectors

        assert recipe.vectors is not None
        words, matrix = read_vectors(recipe.vectors, recipe.vectors_limit, {*counts, *map(str.lower, counts)})
        self.say(f"vectors: {recipe.vectors}: {len(words):,} words, {matrix.shape[1]} dimensions")
        vocabulary = Vocabulary(words, characters, recipe.model.word_parts)
        size = matrix.shape[1]
        network = Network(recipe.model, vocabulary.size, len(characters) + RESERVED, size, dropout, word_dropout)
        network.fill_words(torch.from_numpy(np.concatenate([np.zeros((RESERVED, size), np.float32), matrix])))
        return vocabulary, network

    def _trainer(
        self,
        vocabulary: Vocabulary,
        network: Network,
        training: Sequence[Corpus],
        validation: Sequence[Corpus],
        device: torch.device,
    ) -> Trainer:
        """Encode the corpora and set up the training."""
        from nertag.encoding import EncodedCorpus
        from nertag.training import Trainer

        recipe = self.recipe
        table = FormTable(vocabulary, capacity=1 << 62)
        encoded = [
            EncodedCorpus([s for corpus in corpora for s in corpus.sentences], table, recipe.model.tags)
            for corpora in (training, validation)
        ]
        if self.soft:
            encoded[0].add_soft(self.soft, table)
            tokens = sum(len(sentence.words) for sentence in self.soft)
            self.say(f"soft labels: {len(self.soft):,} sentences, {tokens:,} tokens")
        weights = sum(parameter.numel() for parameter in network.parameters())
        self.say(f"training {weights:,} weights on {device}")
        return Trainer(network, table, encoded[0], encoded[1], recipe.training, device, self.regions)

    def _take_second_look(self, trainer: Trainer) -> None:
        """Make the second look, showing the epochs of its folds as they end, or keep that of the model to start from.

        No fold of that model's training text is unknown to it, so there is nothing to fit another one on.
        """
        if self.recipe.from_model:
            trainer.agreement = read_agreement(find(self.recipe.from_model), self.recipe.model)
            return
        from nertag.cross_fit import cross_fit
        from nertag.training import EpochReport

        folds = trainer.config.agreement_folds

        def show(fold: int, report: EpochReport) -> None:
            self.say(
                f"fold {fold} of {folds}, epoch {report.epoch}: F1 {report.f1:.4f} on what it has not learned from"
            )

        trainer.agreement = cross_fit(trainer, show, _processes_for(trainer.device.type))

    def _train(self, trainer: Trainer, data: str, *, force: bool) -> None:
        """Run the epochs, saving and showing each."""
        from nertag.checkpoint import Checkpoint, write_checkpoint
        from nertag.training import StepReport

        path = checkpoint_path(self.output)
        path.parent.mkdir(parents=True, exist_ok=True)
        recipe = to_mapping(self.recipe)
        with TrainingProgress(self.recipe.training.epochs, quiet=self.quiet) as progress:
            try:
                for report in trainer.epochs():
                    if isinstance(report, StepReport):
                        progress.step(trainer.epoch, report.step / report.steps, report.tokens, report.loss)
                    else:
                        progress.epoch(asdict(report))
                        self.history.append(asdict(report))
                        numbers = trainer.progress()
                        write_checkpoint(path, Checkpoint(recipe, data, numbers, self.history, trainer.state()))
            except KeyboardInterrupt:
                if path.exists():
                    again = f"nertag train --resume --output {shlex.quote(str(self.output))}" + " --force" * force
                    self.say(f"stopped after epoch {len(self.history)}; go on with: {again}")
                raise
        if trainer.epoch < self.recipe.training.epochs:
            self.say(f"no better epoch in {self.recipe.training.patience}: stopping early")

    def _write(
        self,
        trainer: Trainer,
        vocabulary: Vocabulary,
        training: Sequence[Corpus],
        validation: Sequence[Corpus],
        *,
        force: bool,
    ) -> None:
        """Write the model folder."""
        import torch
        from safetensors.torch import save

        from nertag.card import card_text, plot_curves
        from nertag.export import build_graph
        from nertag.recipes import recipe_toml
        from nertag.training import fit_temperature

        recipe = self.recipe
        network = trainer.network.cpu()
        trainer.device = next(network.parameters()).device
        temperature = fit_temperature(list(trainer.validation_logits()))
        best = next(line for line in reversed(self.history) if line["is_best"])
        facts = [
            [_facts(source, corpus) for source, corpus in zip(names, corpora, strict=True)]
            for names, corpora in ((recipe.sources, training), (recipe.validation, validation))
        ]
        card = card_text(self.output.name, recipe, facts[0], facts[1], best, __version__)
        with new_folder(self.output, replace=force) as folder:
            config = FolderConfig(recipe.model, network.word_size, temperature, __version__)
            _write_text(folder / CONFIG, config_json(config))
            (folder / VOCABULARY).write_bytes(vocabulary_bytes(vocabulary))
            _write_text(folder / RECIPE, recipe_toml(recipe))
            _write_text(folder / HISTORY, "".join(json.dumps(line) + "\n" for line in self.history))
            _write_text(folder / CARD, card)
            weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
            if trainer.agreement:
                weights |= {f"agreement.{name}": torch.from_numpy(a) for name, a in trainer.agreement.tensors().items()}
            (folder / WEIGHTS).write_bytes(save(weights))
            (folder / GRAPH).write_bytes(build_graph(network, quantized=True).SerializeToString())
            plot_curves(self.history, folder / CURVES)
        self.say(f"{self.output}: epoch {best['epoch']} is the best, validation F1 {best['f1']:.4f}")


_TOO_LARGE = "Choose a smaller --hidden-size, fewer --layers or fewer --batch-tokens."
_TRAINING_BYTES = 20
"""Of one weight: the weight, its gradient, the two moments of Adam and the average."""


def _check_memory(model: ModelConfig, device: torch.device) -> None:
    """Refuse a network that this machine cannot hold, before the system ends the program for trying.

    Raises:
        TrainingError: If its recurrent weights alone take more than all memory there is.
    """
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    rows = model.directions * model.gates * model.hidden_size
    weights = rows * model.hidden_size + (model.layers - 1) * rows * (model.directions + 1) * model.hidden_size
    needed = weights * (_TRAINING_BYTES if device.type == "cpu" else 4)
    if needed > memory:
        raise TrainingError(
            f"to train {weights:,} recurrent weights takes {needed / 1e9:,.0f} GB of memory, and there are "
            f"{memory / 1e9:,.0f} GB",
            hint=_TOO_LARGE,
        )


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Turn what torch raises when memory runs out into one sentence.

    Yields:
        Nothing.

    Raises:
        TrainingError: If memory runs out.
        RuntimeError: If torch fails for another reason.
    """
    try:
        yield
    except MemoryError:
        raise TrainingError("there is not enough memory", hint=_TOO_LARGE) from None
    except RuntimeError as error:
        message = str(error).strip().partition("\n")[0]
        if "allocate memory" not in message and "out of memory" not in message:
            raise
        raise TrainingError(f"there is not enough memory: {message}", hint=_TOO_LARGE) from None


def _write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file with line feeds on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def _fingerprint(
    vocabulary: Vocabulary,
    network: Network,
    regions: Sequence[RegionNames],
    soft: Sequence[SoftSentence],
    corpora: Sequence[Corpus],
) -> str:
    """Return a digest of what a resumed run must find as it was: words, frozen vectors, names, sentences."""
    digest = hashlib.sha256(vocabulary_bytes(vocabulary))
    digest.update(repr(regions).encode("utf-8", "surrogatepass"))
    for sentence in soft:
        digest.update("\n".join((str(sentence.starts_document), *sentence.words, "")).encode("utf-8", "surrogatepass"))
        digest.update(sentence.probabilities.tobytes())
    for buffer in network.buffers():
        digest.update(buffer.numpy(force=True).tobytes())
    for gold in (sentence for corpus in corpora for sentence in corpus.sentences):
        fields = (str(gold.starts_document), *gold.words, *gold.tags, "")
        digest.update("\n".join(fields).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _facts(source: str, corpus: Corpus) -> CorpusFacts:
    """Count what is in a corpus."""
    from nertag.card import CorpusFacts

    tokens = sum(len(sentence.words) for sentence in corpus.sentences)
    mentions = sum(tag.startswith("B-") for sentence in corpus.sentences for tag in sentence.tags)
    name = source if not Path(source).exists() else os.path.normpath(source)
    return CorpusFacts(name, len(corpus.sentences), tokens, mentions)


def _processes_for(device: str) -> int:
    """Return how many networks to train at once: one per processor core, where a process may be forked.

    Not one that has found CUDA, though it uses the processor alone: PyTorch promises nothing of its forks.
    """
    import torch

    from nertag.workers import count_cores

    forks = device == "cpu" and sys.platform == "linux" and not torch.cuda.is_available()
    return count_cores() if forks else 1


def _from_model(folder: Path, dropout: float, word_dropout: float) -> tuple[Vocabulary, Network]:
    """Return a model folder's vocabulary and network.

    Raises:
        ModelError: If the weights are not those of the network that its configuration describes.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from nertag.network import Network

    config = read_config(folder)
    vocabulary = read_vocabulary(folder, config.model.word_parts)
    rows = len(vocabulary.characters) + RESERVED
    network = Network(config.model, vocabulary.size, rows, config.embedding_size, dropout, word_dropout)
    try:
        weights = load_file(folder / WEIGHTS)
        network.load_state_dict({name: weights[name] for name in weights if not name.startswith("agreement.")})
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(f"its weights do not fit its {CONFIG}: {error}", path=folder / WEIGHTS) from None
    return vocabulary, network


def _device(name: str) -> torch.device:
    """Return the device to train on.

    Raises:
        ConfigError: If it is not there.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    if not there[name]:
        raise ConfigError(f"there is no device {name!r} here", hint="Use --device auto.")
    return torch.device(name)
