from __future__ import annotations

import pytest

from nertag.writers.people import Form, People, form_of, normalize


def numbers(names: str) -> list[int]:
    """Return the person that each of some names, parted by semicolons, means."""
    people = People()
    return [people.resolve(name.strip()) for name in names.split(";")]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # The same name, however it is written.
        ("Hermione Granger; Hermione Granger", [0, 0]),
        ("Hermione Granger; HERMIONE GRANGER; hermione  granger; Hermione\nGranger", [0, 0, 0, 0]),
        ("Zoe\u0308 Quill; Zo\u00eb Quill", [0, 0]),
        ("Hermione Granger; Hermione Granger's; Granger’s; Granger 's", [0, 0, 0, 0]),
        ("Tom James; James'", [0, 0]),
        ("Ms. Granger; Granger; Prof Granger; DR. GRANGER", [0, 0, 0, 0]),
        ("Sir", [0]),
        # A bare name is whoever was last called by a longer one.
        ("Hermione Granger; Granger; Hermione; Ms. Granger", [0, 0, 0, 0]),
        ("Hermione Granger; Edward Granger; Granger; Hermione; Granger", [0, 1, 1, 0, 1]),
        ("Hermione Granger; Edward Granger; Hermione Granger; Granger", [0, 1, 0, 0]),
        ("Elton John; John Smith; John", [0, 1, 1]),
        ("Gabriel García Márquez; García Márquez; Márquez; Gabriel", [0, 0, 0, 0]),
        ("Ludwig van Beethoven; van Beethoven; Beethoven", [0, 0, 0]),
        ("Jim Morrison; Van Morrison", [0, 1]),
        # Nobody was called by a longer one so far.
        ("Granger; Hermione Granger; Edward Granger", [0, 0, 1]),
        ("Mary; Mary Smith; Mary Miller; Mary", [0, 0, 1, 1]),
        ("Granger; Weasley; Granger", [0, 1, 0]),
        # Given names that agree.
        ("Hermione Granger; H. Granger; Hermione J. Granger; Hermione Jean Granger; H Granger", [0, 0, 0, 0, 0]),
        ("H. Granger; Hermione Granger; Harold Granger; H. Granger", [0, 0, 1, 0]),
        ("Hermione Granger; Harold Granger; H. Granger; H. Granger", [0, 1, 2, 2]),
        ("J.R.R. Tolkien; John Ronald Tolkien; J. R. R. Tolkien; C. Tolkien", [0, 0, 0, 1]),
        ("John A. Smith; John B. Smith; John Smith", [0, 1, 2]),
        ("Hermione Granger; Jean Granger", [0, 1]),
        # Generations.
        ("John Smith Jr.; John Smith Sr.; John Smith, Jr.; Smith Jr.; Smith", [0, 1, 0, 0, 0]),
        ("Henry Ford II; Henry Ford III; Henry Ford; Ford II", [0, 1, 2, 0]),
        # An initial alone says nothing.
        ("Hermione Granger; H.; H.", [0, 1, 1]),
        # What is hardly a name is itself.
        ("--; ...; --", [0, 1, 0]),
    ],
)
def test_who_is_meant(names: str, expected: list[int]) -> None:
    assert numbers(names) == expected


def test_in_a_crowd_nobody_is_taken_for_another() -> None:
    def people(size: int) -> list[int]:
        return numbers(
            "; ".join([*(f"J{chr(0x4E00 + index)} Smith" for index in range(size)), "John A. Smith", "John Smith"])
        )

    assert people(200)[-2:] == [200, 200]
    assert people(400)[-2:] == [400, 401]


def test_a_name_is_split_into_what_tells_people_apart() -> None:
    assert form_of("Dr. J.R.R. van der Tolkien Jr.") == Form(("j", "r", "r", "tolkien"), "jr")
    assert form_of("“O'Connor’s”") == Form(("o'connor",))
    assert form_of("Jean-Luc") == Form(("jean-luc",))


def test_normalizing_leaves_no_case_and_single_blanks() -> None:
    assert normalize(" Zoe\u0308\u00a0\tSTRASSE\n") == normalize("zo\u00eb straße") == "zo\u00eb strasse"


RUN = (
    "Granger; Hermione Granger; Tom; Edward Granger; Granger; H. Granger; Hermione; Tom Weaver; Tom Olsen; Tom; "
    "T. Weaver; García Márquez; Gabriel García Márquez; Márquez"
)


def test_another_run_means_the_same_people() -> None:
    """The names of a run with their numbers, read again in their order, give every later run the same answers."""
    names = [name.strip() for name in RUN.split(";")]
    people = People()
    first = [people.resolve(name) for name in names]
    known = list(dict.fromkeys(zip(names, first, strict=True)))
    for _ in range(3):
        again = People()
        met: set[int] = set()
        for name, person in known:
            assert again.recall(name, person if person in met else None) == person
            met.add(person)
        again.start_run()
        assert [again.resolve(name) for name in names] == first


def test_a_bare_name_at_the_start_of_a_run_is_somebody_known() -> None:
    people = People()
    hermione = people.recall("Hermione Granger", None)
    edward = people.recall("Edward Granger", None)
    people.start_run()
    assert people.resolve("Granger") == edward
    assert people.resolve("Hermione") == hermione
    assert people.resolve("Granger") == edward
    people.resolve("Hermione Granger")
    assert people.resolve("Granger") == hermione


def test_a_full_name_cannot_have_meant_two_people() -> None:
    people = People()
    people.recall("Hermione Granger", None)
    with pytest.raises(ValueError, match="'HERMIONE GRANGER' means two people"):
        people.recall("HERMIONE GRANGER", None)
