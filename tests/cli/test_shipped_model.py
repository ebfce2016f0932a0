"""What anybody would expect of the model that ships, on sentences of our own: names marked with brackets.

Ordinary sentences, which a new model must not fail, whatever its scores.
"""

from __future__ import annotations

import re

import pytest

import nertag
from nertag.tagger import Tagger

SENTENCES = """
He said, [Teddy Roosevelt] was USA president
He said, Teddy Bears were his favourite soft toy
[Hermione Granger] met [Ron Weasley].
[Hermione Granger]'s cat scratched [Ron] & [Harry].
[Rachel Green] & [Monica Geller] share a flat in New York.
[Harry Potter] met [Amina Diallo] at King's Cross.
[Ford] opened his lunchbox.
Ben & Jerry's is my favourite ice cream.
Marks & Spencer closed two shops.
i saw [taylor swift] with [travis kelce] yesterday
Dr. [Angela Merkel] spoke to [Emmanuel Macron] and [Giorgia Meloni].
The Nobel Prize went to [Katalin Karikó] and [Drew Weissman].
John Deere sold fewer tractors this year.
Please forward this to [Chidi Okonkwo], [Nguyễn Thị Hoa] and [Siobhán O'Neill-Byrne].
Martin Luther King Jr. Boulevard is closed.
[Mary Smith] (née [Jones]) was born in Paris, Texas.
Lou Gehrig's disease has no cure.
Ms. [Patel] asked [Tom] to call Mr. [van der Berg].
[JOHN SMITH] ARRESTED AFTER DUBLIN BANK RAID
A Picasso was sold for ten million.
BREAKING: PRIME MINISTER [MARGARET OKORO] RESIGNS AFTER CABINET REVOLT
Dear Ms [Lindqvist], thank you for your letter of 3 March. I have passed it to my colleague [Rajesh Venkataraman].
Attendees: [J. Ramirez] (chair), [Wei Zhang], [Fatoumata Diop], [K. Müller-Lüdenscheidt]. Apologies: [Sven].
From: "[Dalia Haddad]" <dalia.h@example.org> To: [Ken Watanabe]; cc: hr@example.org
Patient [John Doe-Smith], DOB 4/5/1961, seen by Dr. [Nwosu] for Parkinson's disease. Wife ([Ellen]) present.
Chelsea beat Lincoln City 3-0 with goals by [Sam Kerr] (2) and [Guro Reiten].
"Where's [Nan]?" asked [Bert]. "Gone to Harrods with Aunt [Polly]," said [Flossie].
Sincerely, Prof. Dr. [Anneliese van den Bosch III]
thanks @jane_doe, love [#JuliaHansen]
[Henry Ford] opened a new plant.
He was diagnosed with Lou Gehrig's disease.
[Nguyễn Văn An] and [Siobhán O'Neill-Byrne] met in the lift.
[Jane Austen]'s Emma is a comedy.
so proud of [Julia Hansen] [#JuliaHansen]
Please send the signed form to [Aylin Kaya] by Friday.
Morgan Stanley upgraded Tesla.
""".strip().splitlines()


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return nertag.load("en-person")


@pytest.mark.parametrize("marked", SENTENCES)
def test_sentences(marked: str, tagger: Tagger) -> None:
    text = marked.replace("[", "").replace("]", "")
    assert [mention.text for mention in tagger.tag(text)] == re.findall(r"\[(.*?)\]", marked)
