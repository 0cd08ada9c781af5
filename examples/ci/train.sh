#!/bin/sh
# The same as github-actions.yml for any other machine: a model from a table and a notebook.
#
#   train.sh FOLDER [TABLE [DATASET]]
#
# FOLDER holds train.ipynb and the table; it becomes a workspace if it is none. Run it again and it trains again: a
# table that changed is the next version of the dataset, and every run gives the next version of the model. The
# notebook with its outputs lies in FOLDER/trained.ipynb, also when a cell failed.
set -eu

folder=${1:?"which folder? for example: train.sh ."}
table=${2:-data/bikes-first-half.csv}
dataset=${3:-bikes}
cd "$folder"

MLALM_WORKSPACE=$(pwd)
export MLALM_WORKSPACE

field() { # the field of a JSON object on standard input
  python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

mlalm workspace init .
version=$(mlalm --json dataset upload "$table" "$dataset" | field reference)
papermill --engine mlalm --no-progress-bar train.ipynb trained.ipynb -p dataset "$version"
mlalm experiment history train.ipynb
mlalm model list
