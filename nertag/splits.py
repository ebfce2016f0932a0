"""A folder or a Hub repository's files in; the files of one split out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nertag.errors import DataError
from nertag.tables import KINDS, DataFile, class_names_of, kind_of

# What a split may be called instead, as `datasets` has it.
SPLIT_WORDS: Mapping[str, Sequence[str]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}


def choose_split(split: str, available: Iterable[str], where: str) -> str:
    """Return the name under which a split is there.

    Raises:
        DataError: If it is not.
    """
    names = list(available)
    for name in SPLIT_WORDS.get(split, (split,)):
        if name in names:
            return name
    there = f"There are: {', '.join(names)}." if names else "There is none."
    raise DataError(f"no {split} split", hint=there, path=where)


def stem_of(path: Path) -> str:
    """Return a file's name without its format and compression: `train` for `train.jsonl.gz`."""
    name = path.name
    while Path(name).suffix.lower() in (*KINDS, ".gz", ".bz2", ".xz"):
        name = Path(name).stem
    return name


@dataclass(frozen=True, slots=True)
class Listing:
    """Which files of a folder or repository belong to which split.

    Attributes:
        base: The folder, or the Hub address of a repository at a commit.
        patterns: Patterns of file names by split, as `datasets` reads them.
        class_names: Names behind the integers of a column, from the dataset card.
        shown: What messages call the folder or repository.
    """

    base: str
    patterns: Mapping[str, Sequence[str]]
    class_names: Mapping[str, Sequence[str]]
    shown: str

    def files(self, split: str) -> list[str]:
        """Return the paths below the base of a split's files.

        Args:
            split: `train`, `validation` or `test`, whatever it is called here.

        Returns:
            Paths with forward slashes, at least one.

        Raises:
            DataError: If there is no such split, or no file of it.
        """
        name = choose_split(split, self.patterns, self.shown)
        found = _resolve(self.base, self.patterns[name])
        if not found:
            raise DataError(f"the {name} split has no data files", path=self.shown)
        return found


def list_files(base: str, card: Path | None, config: str | None, shown: str) -> Listing:
    """List a folder or Hub repository.

    If its dataset card names files, they are taken as the card says; else by the rules of `datasets`: a split is a
    folder or a file named like it.

    Args:
        base: The folder, or `hf://datasets/owner/name@commit`.
        card: Where the dataset card lies on disk; None if there is none.
        config: Which of the card's configurations to take; None for the only one or the default.
        shown: What messages call it.

    Returns:
        Its splits.

    Raises:
        DataError: If there is no such configuration, one must be chosen, the card is wrong, or nothing can be read.
    """
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub.repocard import metadata_load

    try:
        data = (metadata_load(card) if card else None) or {}
        configs = MetadataConfigs.from_dataset_card_data(data)
        infos = DatasetInfosDict.from_dataset_card_data(data)
        chosen = config or configs.get_default_config_name()
    except ValueError as error:
        raise DataError(f"its dataset card is wrong: {' '.join(str(error).split())}", path=shown) from error
    check_config(chosen, list(configs), shown)
    patterns = _patterns(base, configs.get(chosen, {}))
    if not patterns:
        raise DataError("no data files that can be read", hint=f"They end in {', '.join(KINDS)}.", path=shown)
    info = infos.get(chosen or "default") or (next(iter(infos.values())) if len(infos) == 1 else None)
    return Listing(base, patterns, class_names_of(info.features if info else None), shown)


def _patterns(base: str, settings: Mapping[str, object]) -> dict[str, list[str]]:
    """Return patterns of file names by split for a configuration of a card; empty settings for a folder without."""
    from datasets.data_files import get_data_patterns, sanitize_patterns

    if "data_files" in settings:
        patterns: dict[str, list[str]] = sanitize_patterns(settings["data_files"])
        return patterns
    folder = str(settings.get("data_dir") or "").strip("/")
    try:
        found = get_data_patterns(f"{base}/{folder}".rstrip("/"))
    except FileNotFoundError:
        return {}
    below = {
        str(split): [f"{folder}/{each}" if folder else each for each in each_of] for split, each_of in found.items()
    }
    return {split: each_of for split, each_of in below.items() if _resolve(base, each_of)}


def _resolve(base: str, patterns: Iterable[str]) -> list[str]:
    """Return the paths below the base of the files that patterns stand for and that can be read, each once."""
    from datasets.data_files import resolve_pattern

    paths: dict[str, None] = {}
    for pattern in patterns:
        try:
            found = resolve_pattern(pattern, base)
        except FileNotFoundError:
            continue
        inside = (path.removeprefix(f"{base}/") for path in sorted(found) if path.startswith(f"{base}/"))
        # A card must not reach out of its repository.
        paths.update(dict.fromkeys(path for path in inside if kind_of(path) and ".." not in path.split("/")))
    return list(paths)


def folder_files(folder: Path, config: str | None, split: str, shown: str) -> tuple[list[DataFile], list[str]]:
    """Find the files of a split in a folder. Of several, those named exactly like the split win.

    Args:
        folder: The folder.
        config: Which configuration of its dataset card to take; None for the only one or the default.
        split: `train`, `validation` or `test`.
        shown: What messages call the folder.

    Returns:
        The files, and the names of those that were left out because another has exactly the split's name.

    Raises:
        DataError: If there is no such split or configuration, or nothing that can be read.
    """
    base = folder.resolve()
    card = base / "README.md"
    listing = list_files(base.as_posix(), card if card.is_file() else None, config, shown)
    names = listing.files(split)
    exact = [name for name in names if stem_of(Path(name)) in SPLIT_WORDS.get(split, (split,))]
    files = [DataFile(base / name, f"{shown}/{name}", listing.class_names) for name in exact or names]
    return files, [name for name in names if exact and name not in exact]


def check_config(config: str | None, names: Sequence[str], shown: str) -> None:
    """Raise a DataError if a configuration is missing or has to be chosen."""
    if config is None and len(names) > 1:
        hint = f"There are: {', '.join(names)}. Name one: {shown}:{names[0]}."
        raise DataError("has several configurations", hint=hint, path=shown)
    if config is not None and config not in names:
        hint = f"There are: {', '.join(names)}." if names else "There is none to choose."
        raise DataError(f"no configuration {config!r}", hint=hint, path=shown)
