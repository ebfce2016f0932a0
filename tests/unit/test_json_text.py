from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertag.json_text import DEEPEST, Number, Unfit, decode, members, put

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def test_numbers_are_kept_as_they_are_written() -> None:
    assert decode('[1.10, 1e400, NaN, -0, "x"]') == [Number("1.10"), Number("1e400"), Number("NaN"), Number("-0"), "x"]
    assert members(' { "a" : 1.10 ,"b":[ 1 ],"a.b" : "\\u00e9"} ') == {"a": "1.10", "b": "[ 1 ]", "a.b": '"\\u00e9"'}
    assert members('{"a": 1, "b": 2}', without={"a"}) == {"b": "2"}
    assert members("{}") == members(" { } ") == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [('{"a": 1, "b": 2, "a": 3}', "a"), ('[{"x": {"é": 1, "é": 2}}]', "é"), ('{"a": 1, "\\u0061": 1}', "a")],
)
def test_a_field_that_is_there_twice_is_refused(text: str, name: str) -> None:
    with pytest.raises(Unfit, match=f'^the field "{name}" is there twice$'):
        decode(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a": ', "}"), ('[{"a": ', "}]")])
def test_nesting_has_an_end_and_no_crash(opening: str, closing: str) -> None:
    each = opening.count("[") + opening.count("{")
    fine = DEEPEST // each
    assert decode(opening * fine + "1" + closing * fine)
    for depth in (fine + 1, 10_000, 1_000_000):
        for text in (opening * depth + "1" + closing * depth, opening * depth):
            with pytest.raises(Unfit, match="nested too deeply to be read: more than 500"):
                decode(text)


def test_many_brackets_beside_one_another_or_in_strings_are_not_deep() -> None:
    assert len(decode("[" + "[]," * 10_000 + "[]]")) == 10_001
    assert decode(json.dumps(["[{" * 10_000, '"\\' + "[" * 1000])) == ["[{" * 10_000, '"\\' + "[" * 1000]


def test_the_limit_leaves_room_below_pythons() -> None:
    assert DEEPEST * 2 <= sys.getrecursionlimit()


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_members_are_what_json_reads(found: dict[str, object]) -> None:
    text = json.dumps(found, ensure_ascii=False, indent=1)
    assert {name: json.loads(value) for name, value in members(text).items()} == found


@given(st.dictionaries(st.text(max_size=3), VALUES, min_size=1, max_size=4), st.text(), st.data())
def test_putting_a_value_changes_nothing_else(found: dict[str, object], value: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(found)))
    path, place = [name], found[name]
    while isinstance(place, dict) and place and data.draw(st.booleans()):
        path.append(data.draw(st.sampled_from(sorted(place))))
        place = place[path[-1]]
    text = put(json.dumps(found), path, json.dumps(value))
    expected = json.loads(json.dumps(found))
    inner = expected
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert json.loads(text) == expected
    assert list(json.loads(text)) == list(found)


def test_what_is_around_a_value_stays_as_it_is_written() -> None:
    text = '{ "n" : 1.10, "a":{"b" : "x","c":1e5 } , "é":"\\u00e9"}'
    assert put(text, ["a", "b"], '"y"') == '{ "n" : 1.10, "a":{"b" : "y","c":1e5 } , "é":"\\u00e9"}'
