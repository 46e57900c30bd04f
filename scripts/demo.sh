#!/usr/bin/env bash
# Run the whole pipeline on the samples: video, capture, motion, overlay, lit video, gate, review page, archive for TM2M.
# Set VIMOGEN_ROOT to a ViMoGen checkout to check the archive against it; without it, a folder stands in for it.
# Set GEMINI_API_KEY to ask Gemini; without it, stored verdicts of a person decide.
# Usage: bash scripts/demo.sh [OUTPUT_FOLDER]   (default: demo_output in the checkout)
# A second run keeps the finished files.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case "${1:-}" in
  -h | --help)
    sed -n '2,6p' "${BASH_SOURCE[0]}" | cut -c3-
    exit 0
    ;;
  -*)
    echo "error: $1: unknown flag. Usage: bash scripts/demo.sh [OUTPUT_FOLDER]" >&2
    exit 2
    ;;
esac
output=${1:-"$root/demo_output"}
samples="$root/data_samples"
python="$root/.venv/bin/python"

if ! mkdir -p "$output" 2>/dev/null || [ ! -w "$output" ]; then
  echo "error: $output: cannot be created or written. Choose a writable folder." >&2
  exit 2
fi
bash "$root/scripts/setup_environment.sh"
"$python" "$root/scripts/fetch_capture_weights.py"

vimogen=${VIMOGEN_ROOT:-"$output/ViMoGen"}
mkdir -p "$vimogen"
judge=(--verdicts "$samples/human_verdicts.json")
[ -z "${GEMINI_API_KEY:-${GOOGLE_API_KEY:-}}" ] || judge=(--judge gemini)
"$python" "$root/scripts/prepare_motions.py" "$samples/example_archive_wi_ref.json" --output "$output" \
  --hmr-model preview --vimogen-root "$vimogen" "${judge[@]}"
cat <<END

Next, your own videos (a folder, or several; CSV with the columns name and prompt):
  python scripts/prepare_motions.py VIDEOS --prompts TEXTS.csv --output out/mine --vimogen-root ViMoGen
END
