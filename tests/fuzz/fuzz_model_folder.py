"""Any bytes as a file of a model folder, which is then loaded and used.

States: nothing but a `NertagError` is raised, and a model that loads gives a tag and a probability for every word.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["nertag"]):
    from nertag import settings, tagger
    from nertag.errors import NertagError
    from nertag.model_folder import NEEDED
    from nertag.text import Passage

from tests.tiny import trained_folder  # After what is to be watched.

WORDS = ["Mira", "Olsen", "waved", ".", "Zoë", "\u200b", ""]
FOLDER = shutil.copytree(trained_folder(), Path(tempfile.mkdtemp(prefix="nertag-fuzz-")) / "model")
GOOD = {name: (FOLDER / name).read_bytes() for name in NEEDED}
SETTINGS = FOLDER.parent / "nertag.toml"


def patched(good: bytes, data: bytes) -> bytes:
    """Return a good file with some of its bytes replaced by some of the input's, so that most of it stays good."""
    provider = atheris.FuzzedDataProvider(data)
    content = bytearray(good)
    for _ in range(provider.ConsumeIntInRange(1, 4)):
        start = provider.ConsumeIntInRange(0, len(content))
        end = min(len(content), start + provider.ConsumeIntInRange(0, 16))
        content[start:end] = provider.ConsumeBytes(provider.ConsumeIntInRange(0, 16))
    return bytes(content)


def test_one_input(data: bytes) -> None:
    """Load a model of which one file is the input, or has the input in it; the first byte says which and how."""
    if not data:
        return
    names = [*NEEDED, SETTINGS.name]
    name = names[data[0] % len(names)]
    try:
        if name == SETTINGS.name:
            SETTINGS.write_bytes(data[1:])
            settings.read(str(SETTINGS))
            return
        (FOLDER / name).write_bytes(data[1:] if data[0] < 128 else patched(GOOD[name], data[1:]))
        loaded = tagger.load(FOLDER)
        (tagged,) = loaded.tag_passages([Passage(" ".join(WORDS), WORDS, starts_document=True)])
        assert len(tagged.tags) == len(WORDS) == len(tagged.scores)
        assert all(0 <= score <= 1 for score in tagged.scores)
    except NertagError:
        pass
    finally:
        if name in GOOD:
            (FOLDER / name).write_bytes(GOOD[name])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[-1].startswith("-"):  # Begin with what is right.
        corpus = Path(sys.argv[-1])
        corpus.mkdir(parents=True, exist_ok=True)
        for index, name in enumerate(NEEDED):
            (corpus / f"good-{name}").write_bytes(bytes([index]) + GOOD[name])
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
