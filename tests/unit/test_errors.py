from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from nertag import errors
from nertag.errors import DataError, InputError, NertagError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NertagError("no such thing"), "no such thing"),
        (NertagError("no such thing", hint="Look elsewhere."), "no such thing\n  hint: Look elsewhere."),
        (NertagError("is empty", path="a b.conll"), "a b.conll: is empty"),
        (NertagError("odd tag 'X'", path=Path("dev.conll"), line=118), "dev.conll:118: odd tag 'X'"),
        (DataError("odd", hint="Mend it.", path="x", line=1), "x:1: odd\n  hint: Mend it."),
        # A line without a file has no place to point at.
        (NertagError("odd", line=3), "odd"),
    ],
)
def test_text_has_place_message_and_hint(error: NertagError, text: str) -> None:
    assert str(error) == text


def test_a_path_is_kept_as_text() -> None:
    assert NertagError("odd", path=Path("data") / "x.txt").path == str(Path("data", "x.txt"))
    assert NertagError("odd").path is None


def test_a_line_feed_in_a_name_starts_no_line() -> None:
    assert str(InputError("odd", path="a\nnertag: error: b", line=3)) == "a\\nnertag: error: b:3: odd"


def test_every_kind_is_a_nertag_error_with_a_docstring() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {kind.__name__ for kind in kinds} == {
        "NertagError",
        "InputError",
        "OutputError",
        "DataError",
        "ModelError",
        "ConfigError",
        "TrainingError",
        "MissingExtraError",
    }
    assert all(issubclass(kind, NertagError) and kind.__doc__ for kind in kinds)


def test_an_error_crosses_processes_whole() -> None:
    error = DataError("odd", hint="Mend it.", path="x", line=7)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is DataError
    assert (copy.message, copy.hint, copy.path, copy.line) == ("odd", "Mend it.", "x", 7)
    assert str(copy) == str(error)
