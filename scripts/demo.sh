#!/usr/bin/env bash
# The whole pipeline on the samples: video, capture, motion, overlay, lit video, gate, review page.
# Usage: bash scripts/demo.sh [OUTPUT_FOLDER]   (default: demo_output in the checkout)
# Run it again: finished files are kept.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case "${1:-}" in
  -h | --help)
    sed -n '2,4p' "${BASH_SOURCE[0]}" | cut -c3-
    exit 0
    ;;
  -*)
    echo "error: $1: is not a flag of this command. Usage: bash scripts/demo.sh [OUTPUT_FOLDER]" >&2
    exit 2
    ;;
esac
output=${1:-"$root/demo_output"}
samples="$root/data_samples"
python="$root/.venv/bin/python"

step() {
  printf '\n== %s\n' "$1"
}

if ! mkdir -p "$output" 2>/dev/null || [ ! -w "$output" ]; then
  echo "error: $output: cannot be made or written. Give a folder that you may write to." >&2
  exit 2
fi
output=$(cd "$output" && pwd)
bash "$root/scripts/setup_environment.sh"

step "step 2: a capture of the sample video, on the CPU (preview quality)"
video="$samples/sample_video.mp4"
mkdir -p "$output/captures"
cp "$samples/captures/"*.pt "$output/captures/"
if [ ! -f "$output/captures/sample_video.pt" ]; then
  "$python" "$root/scripts/fetch_capture_weights.py"
  "$python" "$root/motion_rep/capture_preview.py" --video "$video" --output "$output/captures/sample_video.pt"
fi

step "step 3: captures to 276-dim motions"
"$python" "$root/motion_rep/convert_hmr_to_motion.py" -i "$output/captures" -o "$output/motions"

step "does it fit? depth videos, and an overlay where there is a source video"
for motion in "$output/motions/"*.pt; do
  name=$(basename "$motion" .pt)
  if [ "$name" = sample_video ]; then source="$video"; else source="$samples/$name.mp4"; fi
  if [ -f "$source" ]; then
    [ -f "$output/checks/${name}_overlay.mp4" ] || "$python" "$root/motion_rep/motion_checker.py" --motion-file "$motion" --output-dir "$output/checks" --video-file "$source"
  else
    [ -f "$output/checks/${name}_depth.mp4" ] || "$python" "$root/motion_rep/motion_checker.py" --motion-file "$motion" --output-dir "$output/checks"
  fi
done

step "step 4: lit videos in MBench style"
# The archive names motions beside itself, so it works from any folder.
cp "$samples/example_archive_wi_ref.json" "$output/archive.json"
"$python" "$root/motion_gating/render_mbench_videos.py" --meta-json "$output/archive.json" --output-json "$output/archive_rendered.json" --output-dir "$output/renders"

if [ -n "${GEMINI_API_KEY:-${GOOGLE_API_KEY:-}}" ]; then
  step "step 4: the gate, judged by Gemini"
  judge=(--judge gemini)
else
  step "step 4: the gate, with the verdicts that people gave (set GEMINI_API_KEY to ask Gemini)"
  judge=(--judge manual --verdicts "$samples/human_verdicts.json")
fi
gate=0
"$python" "$root/motion_gating/apply_quality_gate.py" --meta-json "$output/archive_rendered.json" --quality-report "$output/quality_report.json" \
  --output-json "$output/archive_wi_ref.json" "${judge[@]}" || gate=$?
[ "$gate" -le 1 ] || exit "$gate"

step "the review page"
"$python" "$root/motion_gating/build_report.py" --meta-json "$output/archive_wi_ref.json" --quality-report "$output/quality_report.json" \
  --output "$output/review" --checks "$output/checks"

cat <<END

Made in $output:
  motions/              276-dim reference motions (.pt)
  checks/               depth videos, and overlays on the source video
  renders/              lit videos in MBench style, and what the metrics read
  quality_report.json   jitter, verdict and decision of each entry
  archive_wi_ref.json   the metadata with use_ref_motion
  review/index.html     look at all of it: open this in a browser
END
exit "$gate"
