#!/bin/sh
# Drop-in for SMPLest-X's scripts/inference.sh: a video in demo/ to demo/<name>_params.pt and a preview.
#
#     sh scripts/inference.sh CHECKPOINT VIDEO [FPS|native] [options of main/inference.py]
#     sh scripts/inference.sh smplest_x_h output_video.mp4 16
#
# FPS is 30 as in the original; give the video's own rate, or the word native: frames that are only repeated ruin the motion.
# Environment: PYTHON (default python) is the interpreter of SMPLest-X's environment, RETARGET_CAM=0 keeps a camera for every frame.
set -eu

fail() {
    echo "error: $1" >&2
    exit "${2:-2}"
}

[ $# -ge 2 ] || fail "expected a checkpoint and a video, found $# arguments. Usage: sh scripts/inference.sh smplest_x_h output_video.mp4 [FPS|native] [options]"
checkpoint=$1
file_name=$2
shift 2
fps=30
case "${1:-}" in
    '' | -*) ;;
    *) fps=$1; shift ;;
esac

# In this script $0 names the checkout, so it runs from any folder.
cd -- "$(dirname -- "$0")/.."
root=$(pwd)
python=${PYTHON:-python}
name=${file_name%.*}
video=$root/demo/$file_name
frames=$root/demo/input_frames/$name
preview_frames=$root/demo/output_frames/$name
params=$root/demo/${name}_params.pt
preview=$root/demo/result_$name.mp4

case $file_name in
    */*) fail "$file_name: expected the name of a file in demo/, found a path. Put the video into $root/demo." ;;
esac
case $name in
    '' | . | ..) fail "$file_name: expected a file name like output_video.mp4." ;;
esac
[ -f "$video" ] || fail "demo/$file_name: not found in $root. Put the video there."
command -v "$python" >/dev/null 2>&1 || fail "$python: not found. Activate SMPLest-X's environment, or set PYTHON to its interpreter."
command -v ffmpeg >/dev/null 2>&1 || fail "ffmpeg is not on PATH; SMPLest-X's installer does not bring it. Install it (apt-get install ffmpeg, brew install ffmpeg, or conda install -c conda-forge ffmpeg) and run this again."

if [ "$fps" = native ]; then
    fps=$("$python" -c '
import sys
import cv2
rate = cv2.VideoCapture(sys.argv[1]).get(cv2.CAP_PROP_FPS)
print(repr(rate) if rate > 0 else "")' "$video") || fail "demo/$file_name: its frame rate cannot be read with OpenCV. Give the rate in place of native."
    [ -n "$fps" ] || fail "demo/$file_name: is not a video, or has no frame rate. Check that a player shows it." 1
fi
case $fps in
    *[!0-9./]* | [./]* | *[./]) fail "FPS is $fps, expected a number like 16 or 29.97, or the word native." ;;
esac

remove_temporary() {
    rm -rf -- "$frames" "$preview_frames"
    # Only when nothing of another video is in them.
    rmdir -- "$root/demo/input_frames" "$root/demo/output_frames" 2>/dev/null || :
}
trap remove_temporary EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
rm -rf -- "$frames" "$preview_frames"
# A result of an earlier run must not pass for this one's, and is not lost if this one fails.
[ ! -e "$params" ] || mv -f -- "$params" "$params.previous"
mkdir -p -- "$frames" "$preview_frames"

# ffmpeg takes a % in a path for a pattern, so the frames are named relative to their folder.
(cd -- "$frames" && ffmpeg -nostdin -loglevel error -y -i "file:$video" -vf "fps=$fps" -qscale:v 2 %06d.jpg) \
    || fail "demo/$file_name: ffmpeg cannot take frames out of it. Check that a player shows it." 1
count=$(find "$frames" -type f -name '*.jpg' | wc -l | tr -d ' ')
[ "$count" -gt 0 ] || fail "demo/$file_name: has no frames at $fps frames per second. Give a higher rate, or native." 1
echo "$count frames at $fps per second."

if [ "${RETARGET_CAM:-1}" = 0 ]; then
    retarget=--no_retarget_cam
else
    retarget=--retarget_cam
fi
"$python" main/inference.py --num_gpus 1 --file_name="$name" --ckpt_name="$checkpoint" --end "$count" --fps "$fps" "$retarget" "$@" || {
    code=$?
    [ ! -e "$params.previous" ] || echo "The result of the run before is kept as demo/${name}_params.pt.previous." >&2
    exit "$code"
}
rm -f -- "$params.previous"

# The parameters are safe; the preview is made with the first H.264 encoder that works here (a listed one may still lack its hardware).
encode() {
    (cd -- "$preview_frames" && ffmpeg -nostdin -loglevel quiet -y -framerate "$fps" -i %06d.jpg \
        -vf 'pad=ceil(iw/2)*2:ceil(ih/2)*2' -pix_fmt yuv420p -c:v "$1" preview.mp4) && [ -s "$preview_frames/preview.mp4" ]
}
listed=$(ffmpeg -hide_banner -loglevel quiet -encoders || :)
for encoder in libx264 h264_nvenc h264_videotoolbox libopenh264 h264_qsv h264_amf h264_mf h264_v4l2m2m mpeg4 mjpeg; do
    case $listed in
        *" $encoder "*) ;;
        *) continue ;;
    esac
    if encode "$encoder"; then
        mv -- "$preview_frames/preview.mp4" "$preview"
        echo "Preview: demo/result_$name.mp4 ($encoder)."
        exit 0
    fi
done
echo "warning: this ffmpeg has no encoder for the preview that works; demo/${name}_params.pt is complete." >&2
