#!/bin/sh
# Everything that is measured on a GPU, in nine minutes: tables of docs/benchmarks.md.
# Each part writes its table as soon as it is done.
set -e
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
"$python" -m benchmarks.speed.gpu steps volumes --write "$@"
"$python" -m benchmarks.speed.gpu papers --write "$@"
