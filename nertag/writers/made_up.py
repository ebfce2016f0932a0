"""Numbers in; made-up names out. The lists were written for nertag; no given name says whether it is a man's."""

from __future__ import annotations

_GIVEN = (
    "Alix Amery Arden Ariel Ashby Aubrey Avery Bellamy Billie Blair Bryn Cameron Carey Casey Cassidy Charlie "
    "Corin Dale Darcy Devon Drew Eden Ellery Emerson Finley Frankie Gale Greer Hadley Harley Haven Indigo Jamie "
    "Jess Jodie Jules Kendall Kerry Kim Lane Lee Lennox Leslie Lindsay Linden Marlow Merle Morgan Nicky Noel "
    "Oakley Pat Perry Quinn Reese Remy Robin Rowan Sage Sasha Shiloh Skyler Tatum Teddy"
).split()
_FAMILY = (
    "Ablewick Alderfen Ambersett Ashcombe Barrowden Beckstone Bellworth Birchall Blackmere Brackwell Brambley "
    "Brightmoor Briscombe Calderby Cawthorpe Chalford Clerebrook Coldharrow Copperidge Cranfold Dallowby Deepwell "
    "Dovecott Dunsmere Eastlow Elderby Emberley Fairlough Farnhithe Fenwater Fernside Foxcombe Galewood Garthwell "
    "Gladsmoor Glenhurst Goldbeck Greenlaw Hallowby Harefield Hartsmere Hazelden Heathcombe Highfold Hollowell "
    "Inglemere Ivyfield Kelderby Kestrelow Kingsfold Lanternby Larkmoor Leafield Limebrook Lockmere Longhythe "
    "Mapleford Marshcombe Meadowby Millhurst Mossgrove Netherfold Northbeck Oakhithe Orchardby Otterburn "
    "Pebblewick Pinehollow Quarrymoor Ravensett Redfern Rushcombe Saltmarsh Silverlow Skylark Stonebeck "
    "Summerhythe Thistlewood Underhay Wexmoor Willowby"
).split()


def made_up_name(number: int) -> str:
    """Return the made-up name of a number, counted from 0: every number has another.

    The lists' lengths share no divisor, nor do the steps with them: no pair returns before all have had their turn, and
    then initials part them.
    """
    turn = number // (len(_GIVEN) * len(_FAMILY))
    initials = ""
    while turn:
        turn, letter = divmod(turn - 1, 26)
        initials = f" {chr(ord('A') + letter)}.{initials}"
    given, family = _GIVEN[number * 27 % len(_GIVEN)], _FAMILY[(number * 34 + 20) % len(_FAMILY)]
    return f"{given}{initials} {family}"
