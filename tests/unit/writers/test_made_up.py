from __future__ import annotations

from nertag.writers.made_up import made_up_name


def test_no_name_comes_twice() -> None:
    pairs = 64 * 81
    names = [made_up_name(number) for number in range(pairs * 29)]
    assert len(set(names)) == len(names)
    assert {len(name.split()) for name in names[:pairs]} == {2}
    assert [made_up_name(pairs * turn).split(" ", 1)[1].rsplit(" ", 1)[0] for turn in (1, 26, 27, 28)] == [
        "A.",
        "Z.",
        "A. A.",
        "A. B.",
    ]


def test_names_are_the_same_in_every_release() -> None:
    assert [made_up_name(number) for number in range(3)] == ["Alix Dallowby", "Greer Lockmere", "Reese Birchall"]
