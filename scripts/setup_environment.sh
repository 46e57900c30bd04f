#!/usr/bin/env bash
# Create .venv in the checkout and install the toolkit into it. Does nothing if the packages are already installed.
# Usage: bash scripts/setup_environment.sh [--with-tests]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"
with_tests=0
case "${1:-}" in
  "") ;;
  -h | --help)
    sed -n '2,3p' "${BASH_SOURCE[0]}" | cut -c3-
    exit 0
    ;;
  --with-tests) with_tests=1 ;;
  *) echo "error: $1: unknown flag; expected --with-tests or none." >&2; exit 2 ;;
esac

fail() {
  echo "error: $1" >&2
  exit 2
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
    if [ -z "$candidate" ] || ! command -v "$candidate" >/dev/null 2>&1; then
      continue
    fi
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer was not found. Install it (Debian, Ubuntu: apt install python3 python3-venv), or set PYTHON=/path/to/python3."
}

make_venv() {
  local python
  python=$(find_python)
  [ -n "$python" ] || exit 2
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    fail "$python cannot create virtual environments: ensurepip is missing. Install it (Debian, Ubuntu: apt install python3-venv)."
  fi
  "$python" -m venv "$venv" || fail "$venv could not be created. Check that the folder is writable and the disk has 2 GB of free space."
}

install() { # TITLE PIP_ARGUMENTS...
  local title=$1 started=$SECONDS
  shift
  printf '%s ... ' "$title"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@" >"$venv/install.log" 2>&1 || {
    echo failed
    tail -n 3 "$venv/install.log" >&2
    fail "pip could not install the packages; the full log is $venv/install.log. Check the network and the free disk space, then re-run the command."
  }
  echo "done ($((SECONDS - started)) s)"
}

checksum() {
  cat "$@" | "$venv/bin/python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'
}

stamp_matches() { # STAMP FILE...
  local stamp="$1"
  shift
  [ -x "$venv/bin/python" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(checksum "$@")" ]
}

# If two runs start at the same time, the second waits for the first.
if command -v flock >/dev/null 2>&1; then
  exec 9>"$root/.venv.lock" || fail "$root is not writable. Copy the checkout to a folder that you own."
  flock 9
fi

base=("$root/requirements.txt" "$root/setup.py")
if ! stamp_matches "$venv/.installed" "${base[@]}"; then
  # A working environment is reused; a half-made one is completed.
  if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    make_venv
  fi
  rm -f "$venv/.installed" "$venv/.installed_tests"
  echo "Installing into $venv (once; needs about 2 GB and a few minutes)."
  install "  PyTorch, the largest download" "$(grep -o '^torch==[0-9.]*' "$root/requirements.txt")"
  install "  NumPy, OpenCV, drawing, judges, plots" -r "$root/requirements.txt"
  install "  the toolkit's commands" --no-deps --editable "$root"
  checksum "${base[@]}" >"$venv/.installed"
fi

if [ "$with_tests" = 1 ] && ! stamp_matches "$venv/.installed_tests" "$root/tests/requirements.txt"; then
  install "  packages for the tests" -r "$root/tests/requirements.txt"
  checksum "$root/tests/requirements.txt" >"$venv/.installed_tests"
fi
