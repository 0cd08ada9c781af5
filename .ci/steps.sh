# Sourced by the scripts beside it: one line per step, a dot per second while it runs, its time at the end.
# A step's output goes to .cache/steps/NAME.log and is shown only when the step fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
PYTHON=$ROOT/.venv/bin/python
STATE=$ROOT/.cache/steps
mkdir -p "$STATE"

say() { printf '%s\n' "$@"; }

refuse() { # what, then why and what to do
  printf '%s\n' "$@" >&2
  exit 1
}

step() { # name, sentence, command...
  local name=$1 log="$STATE/$1.log" text=$2 began=$SECONDS parent=$$ beat status=0
  shift 2
  printf '%s ' "$text"
  # The heartbeat also ends when this script is killed and cannot end it; it holds no lock (9).
  (while sleep 1 >/dev/null & wait $! && kill -0 "$parent" 2>/dev/null; do printf .; done) 2>/dev/null 9>&- &
  beat=$!
  "$@" </dev/null >"$log" 2>&1 || status=$?
  kill "$beat" 2>/dev/null || true
  wait "$beat" 2>/dev/null || true
  if [ "$status" -eq 0 ]; then
    printf ' %ss\n' $((SECONDS - began))
  else
    printf ' failed after %ss\n' $((SECONDS - began))
    tail -n 60 "$log" >&2
    printf 'The whole output is in %s\n' "${log#"$ROOT"/}" >&2
  fi
  return "$status"
}

digest() { # of the files and texts given on standard input
  sha256sum | cut -c1-64
}

done_before() { # stamp file, key: was this very step finished?
  [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

stamp() { # stamp file, key: written last, and whole or not at all
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" >"$1.new.$$"
  mv "$1.new.$$" "$1"
}
