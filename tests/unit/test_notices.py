from __future__ import annotations

import pytest

from nertag.errors import InputError
from nertag.notices import Notices


def test_each_thing_is_said_once_and_counted_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    notices = Notices()
    notices.add("a", [InputError("bad", hint="a long hint", path="a", line=7)], 1, "cp1252")
    notices.add("a", [], 1_233, "cp1252")
    notices.add("b", [InputError("worse", path="b")], 1, "")
    assert capsys.readouterr() == (
        "",
        "nertag: a:7: left out: bad\nnertag: a: read as cp1252\nnertag: b: left out: worse\n",
    )
    notices.finish()
    assert capsys.readouterr().err == (
        "nertag: a: replaced by U+FFFD what could not be decoded, in 1,234 places\n"
        "nertag: b: replaced by U+FFFD what could not be decoded, in 1 place\n"
        "nertag: left out 2 bad rows in all\n"
    )
    assert (notices.skipped, notices.replaced) == (2, {"a": 1234, "b": 1})


def test_without_anything_to_say_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Notices().finish()
    assert capsys.readouterr() == ("", "")
