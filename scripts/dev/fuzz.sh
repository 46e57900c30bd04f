#!/usr/bin/env bash
# Feed damaged and generated files to every reader for a limited time: hypothesis on all readers, whole commands on odd archives, then
# atheris on the Python parsers.
# Usage: bash scripts/dev/fuzz.sh [SECONDS] [FINDINGS_FOLDER]   (default: 600 seconds, fuzz_findings in the checkout)
# Exit code: 0 nothing found; 1 findings in the folder; 2 wrong usage or missing prerequisite.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=${1:-600}
findings=${2:-"$root/fuzz_findings"}
case $seconds in
  -h | --help)
    sed -n '2,5p' "${BASH_SOURCE[0]}" | cut -c3-
    exit 0
    ;;
  '' | *[!0-9]* | 0)
    echo "error: $seconds: expected a number of seconds" >&2
    exit 2
    ;;
esac

bash "$root/scripts/setup_environment.sh" --with-tests
python="$root/.venv/bin/python"
export OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
mkdir -p "$findings"
findings=$(cd "$findings" && pwd)
code=0
"$python" "$root/scripts/dev/fuzz_readers.py" --seconds $((seconds / 2 + 1)) --findings "$findings" --seed "$(date +%s)" || code=1
"$python" "$root/scripts/dev/fuzz_commands.py" --seconds $((seconds / 4 + 1)) --findings "$findings" --seed "$(date +%s)" || code=1

if ! "$python" -c 'import atheris' 2>/dev/null && ! "$python" -m pip install --quiet --disable-pip-version-check atheris 2>/dev/null; then
  echo "atheris cannot be installed; skipping it."
  exit "$code"
fi
"$python" "$root/scripts/dev/fuzz_parsers.py" | while IFS= read -r target; do
  folder="$findings/atheris/${target//[ ,]/_}"
  mkdir -p "$folder"
  if "$python" "$root/scripts/dev/fuzz_parsers.py" "$target" -max_total_time=$((seconds / 24 + 1)) -artifact_prefix="$folder/" >"$folder/log.txt" 2>&1; then
    echo "atheris, $target: $(grep -c . "$folder/log.txt") lines of log, nothing found"
    rm -r "$folder"
  else
    echo "error: atheris, $target: see $folder" >&2
    touch "$findings/atheris/found"
  fi
done || true
[ ! -e "$findings/atheris/found" ] || code=1
exit "$code"
