from __future__ import annotations

import subprocess
import sys

import pytest

import nertag
from nertag.errors import NertagError
from nertag.text import Mention, Passage, TaggedPassage


def test_public_names_are_those_of_their_modules() -> None:
    assert (nertag.Mention, nertag.Passage, nertag.TaggedPassage) == (Mention, Passage, TaggedPassage)
    assert nertag.NertagError is NertagError
    assert nertag.load.__module__ == nertag.Tagger.__module__ == "nertag.tagger"
    assert set(nertag.__all__) <= set(dir(nertag))
    assert nertag.__version__.count(".") == 2


def test_a_name_that_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="module 'nertag' has no attribute 'tagg'"):
        nertag.tagg  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    script = (
        "import sys, nertag; sys.exit(', '.join({'numpy', 'onnxruntime', 'typer', 'rich'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")
