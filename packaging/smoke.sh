#!/bin/sh
# Does a bundle work? packaging/smoke.sh COMMAND...: the doctor, and a film of two seconds. Needs nothing but a shell.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$@" --version
# 1: it dances, but something is missing here, such as a microphone.
code=0
"$@" doctor || code=$?
[ "$code" -le 1 ] || { echo "the doctor ended with $code" >&2; exit 1; }
"$@" film -o "$folder/dance.mp4" --seconds 2 --size 320x180
size=$(wc -c <"$folder/dance.mp4")
[ "$size" -gt 20000 ] || { echo "the film has $size bytes" >&2; exit 1; }
echo "works: a film of $size bytes"
