#!/usr/bin/env bash
# Extract the motion of one person from a video into a capture file, with an HMR system that is installed on this machine.
#
#   extract_motion.sh --model MODEL --video V.mp4 --output hmr.pt
#
#   --model          auto (default) | preview | smplest-x | camerahmr | 4d-humans | tokenhmr | wham | gvhmr | gem-smpl | tram | prompthmr |
#                    smpler-x | sam-3d-body
#                    preview runs on the CPU and is part of this toolkit; auto: SMPLest-X if its checkout and a GPU exist, else preview
#   --fps native|N   frame rate to sample (default native: a higher rate repeats frames, which ruins the motion)
#   --person P       if the system tracks several people: longest (default), or one of the names that it prints;
#                    for smplest-x and camerahmr: tracked (their default) or largest of each frame
#   --space S        camera (default), or world if the system estimates a world frame
#   --focal-length P focal length in pixels that replaces the system's own (4D-Humans assumes a very long lens)
#   --static-camera  tell GVHMR, GEM-SMPL, TRAM or PromptHMR that the camera does not move
#   --dry-run        print the commands without running them
#   --check-only     check the flags and that the system is installed; needs no --video and no --output
#   -- ...           pass the remaining arguments to the system
#
# A result that a system has written is never deleted: if the system fails or is interrupted after it, or if the result cannot be imported,
# the result is imported or moved to hmr_MODEL/ next to the output, and the command that imports it is printed.
#
# Environment: SMPLEST_X_ROOT, CAMERAHMR_ROOT, HUMANS4D_ROOT, TOKENHMR_ROOT, WHAM_ROOT, GVHMR_ROOT, GEM_SMPL_ROOT, TRAM_ROOT, PROMPTHMR_ROOT,
# SMPLER_X_ROOT, SAM_3D_BODY_ROOT are the checkouts;
# the same names with _PYTHON instead of _ROOT are the Python interpreters of their environments (default: python). SMPLEST_X_CKPT (smplest_x_h), SMPLER_X_CKPT (smpler_x_h32),
# SAM_3D_BODY_CKPT (facebook/sam-3d-body-dinov3), CAMERAHMR_MODEL_TYPE (smpl), TOKENHMR_CHECKPOINT and TOKENHMR_MODEL_CONFIG select a network. PYTHON is the interpreter of this toolkit.
#
# Exit code: 0 done; 1 the system failed or found no person; 2 wrong usage or missing prerequisite.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/command.sh
. "$here/lib/command.sh"
# shellcheck source=lib/hmr_systems.sh
. "$here/lib/hmr_systems.sh"

switches='--dry-run --static-camera --check-only'
model=auto video='' output='' wanted_fps=native person=longest space=camera focal_length='' static_camera='' dry_run=0 check_only=0
root='' work='' made_preview='' result='' imported=0 needs='' is_complete=has_result
extra=() leftovers=() leftover_prefixes=() leftover_folders=() import_command=()

take_flag() {
    case $flag in
        --model) model=$value ;;
        --video) video=$value ;;
        --output) output=$value ;;
        --fps) [ "$value" = native ] || require_rate "$flag" "$value"; wanted_fps=$value ;;
        --person) person=$value ;;
        --space) space=$value ;;
        --focal-length) focal_length=$value ;;
        --static-camera) static_camera=1 ;;
        --dry-run) dry_run=1 ;;
        --check-only) check_only=1 video=$0 output=check.pt ;;
        *) unknown_flag "$flag" ;;
    esac
}

check_arguments() {
    [ -n "$video" ] || usage_error "--video is missing. Give the video to extract the motion from."
    [ -n "$output" ] || usage_error "--output is missing. Give the capture file to write."
    case $output in
        *.pt) ;;
        *) usage_error "--output is $output, expected a name ending in .pt." ;;
    esac
    case $space in
        camera | world) ;;
        *) usage_error "--space is '$space', expected camera or world." ;;
    esac
    case $model in
        wham | gvhmr | gem-smpl | tram | prompthmr) ;;
        *) [ "$space" = camera ] || usage_error "--space world: $model has no world frame. Use wham, gvhmr, gem-smpl, tram or prompthmr." ;;
    esac
    [[ -z $focal_length || $focal_length =~ ^[0-9]+(\.[0-9]+)?$ ]] || usage_error "--focal-length is '$focal_length', expected pixels."
    case $model in
        gvhmr | gem-smpl | tram | prompthmr) ;;
        *) [ -z "$static_camera" ] || usage_error "--static-camera works only with gvhmr, gem-smpl, tram and prompthmr." ;;
    esac
    [ -f "$video" ] || usage_error "$video: not found. Give an existing video."
    refuse_same --output "$output" --video "$video"
    refuse_same 'the preview of --output' "${output%.pt}_preview.mp4" --video "$video"
    video=$(absolute "$video")
    output=$(absolute "$output")
}

has_gpu='import sys, torch
mps = getattr(torch.backends, "mps", None)
sys.exit(not (torch.cuda.is_available() or mps is not None and mps.is_available()))'

# choose_model: replace auto by a system and print which one and why.
choose_model() {
    local reason=''
    [ "$model" = auto ] || return 0
    python=$(runner "${SMPLEST_X_PYTHON:-python}")
    if [ -z "${SMPLEST_X_ROOT:-}" ]; then
        reason='SMPLEST_X_ROOT is not set'
    elif [ ! -f "$SMPLEST_X_ROOT/main/base.py" ]; then
        reason="SMPLEST_X_ROOT=$SMPLEST_X_ROOT is not a checkout of SMPLest-X"
    elif ! (cd -- "$SMPLEST_X_ROOT" && "$python" -c "$has_gpu") >/dev/null 2>&1 </dev/null; then
        reason="$python finds no GPU"
    fi
    if [ -n "$reason" ]; then
        model=preview
        printf 'Model: CPU preview, less accurate than SMPLest-X (%s).\n' "$reason"
    else
        model=smplest-x
        printf 'Model: SMPLest-X in %s, on the GPU.\n' "$SMPLEST_X_ROOT"
    fi
}

# require_rate_choice: the rate can be chosen only for systems that get their frames from us; the others read the video themselves.
require_rate_choice() {
    case $model in
        smplest-x | camerahmr | smpler-x | sam-3d-body) ;;
        *) [ "$wanted_fps" = native ] || usage_error "--fps $wanted_fps: $model always reads every frame. Use --fps native." ;;
    esac
}

# choose_person: pass the choice to our drop-ins, which choose while the system runs, or to the import, which chooses from the result.
choose_person() {
    case $model/$person in
        */longest) ;;
        smplest-x/tracked | smplest-x/largest | camerahmr/tracked | camerahmr/largest)
            extra=(--person "$person" ${extra[@]+"${extra[@]}"})
            person=longest
            ;;
        smplest-x/* | camerahmr/*) usage_error "--person $person: $model exports one person, tracked or largest." ;;
        preview/*) usage_error "--person $person: the preview tracks one person; select it with -- --bbox x,y,w,h in the first frame." ;;
    esac
}

# require_system: the checkout and the interpreter must exist; a dry run only warns.
require_system() {
    local problem=''
    system_of "$model" || usage_error "unknown --model $model. See extract_motion.sh --help."
    root=${!root_variable:-}
    python=$(runner "${!python_variable:-python}")
    if [ -z "$root" ]; then
        problem="$root_variable is not set. Set it to your checkout of $title: export $root_variable=/path/to/checkout"
    elif [ ! -f "$root/$entry" ]; then
        problem="$root: contains no $entry, expected a checkout of $title. Correct $root_variable."
    fi
    if [ -n "$problem" ]; then
        [ "$dry_run" = 1 ] || usage_error "$problem"
        warn "$problem"
    elif [ "$dry_run" = 0 ]; then
        require_program "$python_variable" "$python"
    fi
    root=$(absolute "${root:-/path/to/${title%% *}}")
}

measure_video() {
    local numbers
    numbers=$("$toolkit_python" "$here/lib/video_record.py" measure "$video") || exit $?
    read -r native_fps frames width height plain <<<"$numbers"
    fps=$native_fps
    [ "$wanted_fps" != native ] || return 0
    fps=$wanted_fps
    [ "${fps%.*}" -le "${native_fps%.*}" ] || warn "$video has $native_fps frames per second; sampling at $fps repeats frames, so the motion stutters."
}

# step FOLDER COMMAND...: run the command in the folder; in a dry run, print it. A command that fails after it has written the whole result
# counts as done.
step() {
    local code=0
    if [ "$dry_run" = 1 ]; then
        show_command "$@"
        return
    fi
    # Write no __pycache__ into other projects' checkouts.
    (export PYTHONDONTWRITEBYTECODE=1 && run_in "$@") >&2 || code=$?
    if [ "$code" -ne 0 ]; then
        "$is_complete" || fail "$model ended with code $code; see its messages above. $output was not written."
        warn "$model ended with code $code, but its result is there and is imported."
    fi
}

make_names() {
    local stem
    stem=$(basename -- "$video")
    extension=${stem##*.}
    [[ $stem == *.* && $extension =~ ^[A-Za-z0-9]+$ ]] || extension=mp4
    # Some systems cut a name at its first dot or use it in patterns.
    stem=$(printf '%s' "${stem%.*}" | tr -c 'A-Za-z0-9_' '_' | cut -c 1-40)
    if [ "$dry_run" = 1 ]; then
        work=${TMPDIR:-/tmp}/extract_motion
        name=$stem
    else
        work=$(mktemp -d)
        name=${stem}_${work##*.}
    fi
}

# has_result: the system has written something that can be imported.
has_result() {
    [ -n "$result" ] || return 1
    if [ -d "$result" ]; then
        compgen -G "$result/smplx/*.npz" >/dev/null || compgen -G "$result/hps/hps_track_*.npy" >/dev/null
    else
        [ -s "$result" ]
    fi
}

# keep_result: move a result that was not imported next to the output, and print the command that imports it.
keep_result() {
    local kept number=2
    if [ "$imported" = 1 ] || ! has_result; then
        return 0
    fi
    kept=${output%.pt}_$model
    while [ -e "$kept" ]; do
        kept=${output%.pt}_${model}_$number
        number=$((number + 1))
    done
    if ! mkdir -p -- "$kept" || ! mv -- "$result" "$kept/"; then
        warn "$result: could not be moved to $kept; it stays where it is."
        return 1
    fi
    set_import_command "$kept/${result##*/}"
    {
        printf 'Kept what %s wrote in %s. Import it with:\n' "$model" "$kept"
        quote "${import_command[@]}"
    } >&2
}

clean_up() {
    [ "$dry_run" = 0 ] || return 0
    local path
    trap '' HUP INT TERM
    keep_result || return 0
    for path in ${leftover_prefixes[@]+"${leftover_prefixes[@]}"}; do
        rm -rf -- "$path" "${path}_"*
    done
    [ -z "$work" ] || rm -rf -- "$work"
    for path in ${leftovers[@]+"${leftovers[@]}"}; do
        rm -rf -- "$path"
    done
    for path in ${leftover_folders[@]+"${leftover_folders[@]}"}; do
        rmdir -- "$path" 2>/dev/null || :
    done
}

run_preview() {
    local command=("$toolkit_python" "$repo/motion_rep/capture_preview.py" --video "$video" --output "$output" --overwrite)
    command+=(${focal_length:+--focal "$focal_length"} ${extra[@]+"${extra[@]}"})
    if [ "$dry_run" = 1 ]; then
        show_command "$PWD" "${command[@]}"
    else
        exec "${command[@]}"
    fi
}

# set_import_command RESULT: sets the array import_command.
set_import_command() {
    import_command=("$toolkit_python" "$here/lib/import_capture.py" "$1" "$output" --format "$format" --fps "$fps" --image-size "${width}x$height")
    import_command+=(--person="$person" --space "$space" ${focal_length:+--focal-length "$focal_length"})
    # At another rate, only the system knows the number of frames.
    [ "$fps" != "$native_fps" ] || import_command+=(--frames "$frames")
}

import_result() {
    set_import_command "$result"
    if [ "$dry_run" = 1 ]; then
        show_command "$PWD" "${import_command[@]}"
        return
    fi
    [ -e "$result" ] || fail "$model ended without an error but wrote no ${result##*/}; see its messages above. ${needs:+$needs }$output was not written."
    "${import_command[@]}"
    imported=1
    [ ! -s "$made_preview" ] || keep_preview
}

keep_preview() {
    cp -- "$made_preview" "${output%.pt}_preview.mp4"
    printf 'Preview: %s\n' "${output%.pt}_preview.mp4"
}

parse_flags "$@"
check_arguments
toolkit_python=$(project_python)
require_program PYTHON "$toolkit_python"
choose_model
require_rate_choice
choose_person
if [ "$model" = preview ]; then
    [ "$check_only" = 0 ] || exec "$toolkit_python" "$here/fetch_capture_weights.py" --check-only
    run_preview
    exit 0
fi
require_system
[ "$check_only" = 0 ] || exit 0
measure_video
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
make_names
"run_$system"
import_result
