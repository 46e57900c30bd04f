#!/usr/bin/env bash
# Run the whole pipeline on the samples: video, capture, motion, overlay, lit video, gate, review page.
# Set VIMOGEN_ROOT to a ViMoGen checkout to check the archive against it; without it, a folder stands in for it.
# Usage: bash scripts/demo.sh [OUTPUT_FOLDER]   (default: demo_output in the checkout)
# A second run keeps the finished files.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case "${1:-}" in
  -h | --help)
    sed -n '2,5p' "${BASH_SOURCE[0]}" | cut -c3-
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

step() {
  printf '\n== %s\n' "$1"
}

if ! mkdir -p "$output" 2>/dev/null || [ ! -w "$output" ]; then
  echo "error: $output: cannot be created or written. Choose a writable folder." >&2
  exit 2
fi
output=$(cd "$output" && pwd)
bash "$root/scripts/setup_environment.sh"

step "Step 2: video to capture, on the CPU (preview quality)"
video="$samples/sample_video.mp4"
mkdir -p "$output/captures"
cp "$samples/captures/"*.pt "$output/captures/"
if [ ! -f "$output/captures/sample_video.pt" ]; then
  "$python" "$root/scripts/fetch_capture_weights.py"
  "$python" "$root/motion_rep/capture_preview.py" --video "$video" --output "$output/captures/sample_video.pt"
fi

step "Step 3: captures to motions"
"$python" "$root/motion_rep/convert_hmr_to_motion.py" -i "$output/captures" -o "$output/motions" --target-fps 16

step "Step 3: check videos (an overlay where the source video exists, otherwise depth)"
for motion in "$output/motions/"*.pt; do
  name=$(basename "$motion" .pt)
  if [ "$name" = sample_video ]; then source="$video"; else source="$samples/$name.mp4"; fi
  if [ -f "$source" ]; then
    [ -f "$output/checks/${name}_overlay.mp4" ] || "$python" "$root/motion_rep/motion_checker.py" --motion-file "$motion" --output-dir "$output/checks" --video-file "$source"
  else
    [ -f "$output/checks/${name}_depth.mp4" ] || "$python" "$root/motion_rep/motion_checker.py" --motion-file "$motion" --output-dir "$output/checks"
  fi
done

step "Step 4: render the motions for the judge"
# Paths in an archive are relative to the archive, so the copy finds the motions of this folder.
cp "$samples/example_archive_wi_ref.json" "$output/archive.json"
"$python" "$root/motion_gating/render_mbench_videos.py" --meta-json "$output/archive.json" --output-json "$output/archive_rendered.json" --output-dir "$output/renders"

if [ -n "${GEMINI_API_KEY:-${GOOGLE_API_KEY:-}}" ]; then
  step "Step 4: gate, judged by Gemini"
  judge=(--judge gemini)
else
  step "Step 4: gate, with stored human verdicts (set GEMINI_API_KEY to ask Gemini instead)"
  judge=(--judge manual --verdicts "$samples/human_verdicts.json")
fi
gate=0
"$python" "$root/motion_gating/apply_quality_gate.py" --meta-json "$output/archive_rendered.json" --quality-report "$output/quality_report.json" \
  --output-json "$output/archive_wi_ref.json" "${judge[@]}" || gate=$?
[ "$gate" -le 1 ] || exit "$gate"

step "Review page"
"$python" "$root/motion_gating/build_report.py" --meta-json "$output/archive_wi_ref.json" --quality-report "$output/quality_report.json" \
  --output "$output/review" --checks "$output/checks"

step "Archive for TM2M"
vimogen=${VIMOGEN_ROOT:-"$output/ViMoGen"}
mkdir -p "$vimogen"
exported=0
"$python" "$root/motion_gating/export_for_tm2m.py" --meta-json "$output/archive_wi_ref.json" --vimogen-root "$vimogen" \
  -o "$output/archive_for_tm2m.json" || exported=$?
[ "$exported" -le 1 ] || exit "$exported"
[ "$gate" -ge "$exported" ] || gate=$exported

step "Result"
"$python" "$root/scripts/lib/motion_set.py" decisions "$output/quality_report.json"
page=$("$python" -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).resolve().as_uri())' "$output/review/index.html")

cat <<END

Review page: $page
Files in $output:
  motions/              reference motions (.pt)
  checks/               depth videos, and overlays on the source video
  renders/              the videos that the judge sees, and the joints that the metrics read
  quality_report.json   jitter, verdict and decision of each entry
  archive_wi_ref.json   the archive with use_ref_motion set
  archive_for_tm2m.json the same for TM2M's loader

Next, your own video, then the archive for your ViMoGen checkout:
  bash scripts/prepare_custom_motion.sh --video VIDEO.mp4 --prompt "what the person does" --output-dir out/mine
  python motion_gating/export_for_tm2m.py --meta-json out/mine/gated.json --vimogen-root ViMoGen -o ViMoGen/data_samples/custom.json
END
exit "$gate"
