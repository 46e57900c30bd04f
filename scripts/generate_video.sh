#!/usr/bin/env bash
# Generate videos from text with a model that is installed on this machine.
#
#   generate_video.sh --model MODEL --prompt TEXT --output V.mp4
#   generate_video.sh --model MODEL --archive A.json --output-dir D     one video per entry, D/<id>.mp4; skips finished videos
#
#   --model          wan2.2 (16 fps) | wan2.2-5b (24 fps) | wan2.1, wan2.1-1.3b (16 fps) | cogvideox (16 or 8 fps) | open-sora (24 fps) |
#                    hunyuanvideo-1.5 (24 fps) | ltx-2 (24 fps) | diffusers:MODEL (a model of Hugging Face's diffusers: Wan, HunyuanVideo 1.5,
#                    LTX-2, CogVideoX), like diffusers:Wan-AI/Wan2.1-T2V-1.3B-Diffusers
#   --seed N         default 42; an archive's entry with a seed of its own keeps it; entries without one get N, and those
#                    with the same prompt the next numbers that no entry with this prompt has: N, N+1, N+2, ...
#   --size WxH       one of the sizes that the model supports
#   --frames N       default: the model's own
#   --prompt-field F field of an archive entry that contains the prompt (default: prompt_video_detailed, else prompt)
#   --dry-run        print the command without running it
#   --check-only     check the flags and that the program is installed; needs no --prompt and no --output
#   -- ...           pass the remaining arguments to the program
#
# A video that a program has finished is never deleted: if the program fails or is interrupted after it, the video is kept.
#
# Environment: WAN_ROOT (2.2), WAN21_ROOT, COGVIDEO_ROOT, OPENSORA_ROOT, HUNYUAN_ROOT, LTX_ROOT are the checkouts; WAN_T2V_A14B_CKPT, WAN_TI2V_5B_CKPT,
# WAN21_T2V_14B_CKPT, WAN21_T2V_1_3B_CKPT, HUNYUAN_CKPT (default: folders in the checkout), COGVIDEO_MODEL (default THUDM/CogVideoX1.5-5B), LTX_CHECKPOINT,
# LTX_LORA, LTX_UPSAMPLER and LTX_GEMMA the checkpoints; WAN_PYTHON, WAN21_PYTHON, COGVIDEO_PYTHON, LTX_PYTHON, DIFFUSERS_PYTHON (default: python),
# OPENSORA_TORCHRUN and HUNYUAN_TORCHRUN (default: torchrun) run them. PYTHON is the interpreter of this toolkit. V.mp4.json records the frame rate and the
# settings of V.mp4.
#
# Exit code: 0 all done; 1 some failed; 2 wrong usage or missing prerequisite.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/command.sh
. "$here/lib/command.sh"
# shellcheck source=lib/text_to_video.sh
. "$here/lib/text_to_video.sh"

switches='--dry-run --check-only'
model='' prompt='' has_prompt=0 output='' archive='' output_dir='' seed=42 size='' frames='' prompt_field='' dry_run=0 check_only=0 missing=''
extra=()

take_flag() {
    case $flag in
        --model) model=$value ;;
        --prompt) prompt=$value has_prompt=1 ;;
        --output) output=$value ;;
        --archive) archive=$value ;;
        --output-dir) output_dir=$value ;;
        --seed) require_whole "$flag" "$value" && seed=$value ;;
        --size) size=$value ;;
        --frames) require_whole "$flag" "$value" && frames=$((10#$value)) ;;
        --prompt-field) prompt_field=$value ;;
        --dry-run) dry_run=1 ;;
        --check-only) check_only=1 has_prompt=1 prompt=check output=check.mp4 ;;
        *) unknown_flag "$flag" ;;
    esac
}

check_arguments() {
    if [ -n "$archive" ]; then
        [ "$has_prompt$output" = 0 ] || usage_error "--archive cannot be combined with --prompt or --output. Use --output-dir."
        [ -n "$output_dir" ] || usage_error "--archive needs --output-dir, the folder for the videos."
    else
        [ "$has_prompt" = 1 ] || usage_error "give --prompt TEXT with --output V.mp4, or --archive A.json with --output-dir D."
        [[ $prompt =~ [^[:space:]] ]] || usage_error "--prompt is empty. Describe what the video should show."
        [ -n "$output" ] || usage_error "--prompt needs --output, the video file to write."
        [ -z "$output_dir$prompt_field" ] || usage_error "--output-dir and --prompt-field work only with --archive."
        case $output in
            *.mp4) ;;
            *) usage_error "--output is $output, expected a name ending in .mp4." ;;
        esac
    fi
    case $size in
        '' | [1-9]*x[1-9]*) ;;
        *) usage_error "--size is '$size', expected WxH, like 832x480." ;;
    esac
}

models='wan2.2, wan2.2-5b, wan2.1, wan2.1-1.3b, cogvideox, open-sora, hunyuanvideo-1.5, ltx-2 or diffusers:MODEL'

plan() {
    case $model in
        wan2.2 | wan2.2-5b | wan2.1 | wan2.1-1.3b) program_name=wan ;;
        cogvideox) program_name=cogvideox ;;
        open-sora) program_name=open_sora ;;
        hunyuanvideo-1.5) program_name=hunyuan ;;
        ltx-2) program_name=ltx ;;
        diffusers:*) program_name=diffusers ;;
        '') usage_error "--model is missing, expected $models." ;;
        *) usage_error "unknown --model $model, expected $models." ;;
    esac
    "plan_$program_name"
}

# made_with PROMPT: sets the array facts to the settings that determine the video, as flags of video_record.py.
made_with() {
    local fact
    facts=()
    for fact in "model=$model" "prompt=$1" "seed=$seed" "size=$size" "frames=${frames:-default}" "options=${extra[*]-}"; do
        facts+=("--made-with=$fact")
    done
}

# print_plan PROMPT VIDEO: print the command. The program writes into a temporary folder.
print_plan() {
    "command_$program_name" "$1" "$(part_folder "$2")"
    if [ -n "$program_root" ]; then
        show_command "$program_root" "${program[@]}" ${extra[@]+"${extra[@]}"}
    else
        # The checkout is unknown: the line works once the variable is set.
        printf 'cd "$%s" && %s\n' "$root_variable" "$(quote "${program[@]}" ${extra[@]+"${extra[@]}"})"
    fi
}

part_folder() {
    printf '%s/.%s.part\n' "$(dirname -- "$1")" "$(basename -- "$1" .mp4)"
}

# make_video PROMPT VIDEO: returns 0 if the video and its record were written.
make_video() {
    local part code=0 lock
    [ -z "$missing" ] || usage_error "$missing"
    part=$(part_folder "$2")
    ! recover_video "$2" "$part" "$1" || return 0
    lock_new_folder "$part" || return 1
    parts=$part part_video=$2 part_prompt=$1
    made_with "$1"
    printf '%s\n' "${facts[@]}" >"$part/made_with" || return 1
    "command_$program_name" "$1" "$part"
    run_in "$program_root" "${program[@]}" ${extra[@]+"${extra[@]}"} >&2 || code=$?
    if [ "$code" -ne 0 ] && keep_result "$2" "$part" "$1" 2>/dev/null; then
        warn "$2: $model ended with code $code after it had finished the video, which is kept."
        code=0
    elif [ "$code" -ne 0 ]; then
        printf 'error: %s: %s ended with code %s; see its messages above. No video was written.\n' "$2" "$model" "$code" >&2
    else
        keep_result "$2" "$part" "$1" || code=1
    fi
    rm -rf -- "$part"
    parts=''
    [ -z "$lock" ] || exec {lock}<&-
    [ "$code" -eq 0 ]
}

# keep_result VIDEO FOLDER PROMPT: check the result and move it to its final name. These programs may exit with 0 and write no file.
keep_result() {
    [ -n "$result" ] || result=$(find "$2" -name '*.mp4' -type f | sort | head -n 1)
    if [ -z "$result" ] || [ ! -s "$result" ]; then
        printf 'error: %s: %s ended without an error but wrote no video; see its messages above.\n' "$1" "$model" >&2
        return 1
    fi
    made_with "$3"
    "$toolkit_python" "$here/lib/video_record.py" write "$result" --as-name="$1" "${facts[@]}"
}

# recover_video VIDEO FOLDER PROMPT: keep a video that a killed run had finished with the same settings.
recover_video() {
    local lock recovered=1
    if [ ! -f "$2/made_with" ] || ! lock_folder "$2"; then
        return 1
    fi
    made_with "$3"
    result=''
    if [ "$(cat -- "$2/made_with" 2>/dev/null)" = "$(printf '%s\n' "${facts[@]}")" ] && keep_result "$1" "$2" "$3" 2>/dev/null; then
        printf '%s: was finished by a run that was killed.\n' "$1"
        rm -rf -- "$2"
        recovered=0
    fi
    [ -z "$lock" ] || exec {lock}<&-
    return "$recovered"
}

# is_finished VIDEO PROMPT: the video exists and was made with these settings or added by the user.
is_finished() {
    [ -s "$1" ] || return 1
    made_with "$2"
    if [ -e "$1.json" ]; then
        "$toolkit_python" "$here/lib/video_record.py" matches "$1" "${facts[@]}"
    else
        "$toolkit_python" "$here/lib/video_record.py" write "$1"
    fi
}

# copy_older NAME PROMPT VIDEO: an earlier version gave the video this name; it counts only by its record.
copy_older() {
    [ -n "$1" ] && [ ! -e "$3" ] && [ -s "$output_dir/$1.mp4" ] && [ -e "$output_dir/$1.mp4.json" ] || return 1
    made_with "$2"
    "$toolkit_python" "$here/lib/video_record.py" copy "$output_dir/$1.mp4" --as-name "$3" "${facts[@]}"
}

run_archive() {
    local list identifier name text video older made=0 kept=0 listed=0 failed=()
    list=$(mktemp)
    scratch=$list
    "$toolkit_python" "$here/lib/list_prompts.py" "$archive" --output-dir "$output_dir" --seed "$((10#$seed))" ${prompt_field:+--prompt-field="$prompt_field"} >"$list" || listed=$?
    [ "$listed" -le 1 ] || exit 2
    while IFS= read -r -u 3 -d '' identifier && IFS= read -r -u 3 -d '' name && IFS= read -r -u 3 -d '' text && IFS= read -r -u 3 -d '' seed && IFS= read -r -u 3 -d '' older; do
        video=$output_dir/$name.mp4
        if [ "$dry_run" = 1 ]; then
            print_plan "$text" "$video"
        elif is_finished "$video" "$text"; then
            kept=$((kept + 1))
            # Left by a run that was killed just before its end.
            rm -rf -- "$(part_folder "$video")"
        elif copy_older "$older" "$text" "$video"; then
            kept=$((kept + 1))
        elif make_video "$text" "$video"; then
            made=$((made + 1))
        else
            failed+=("$identifier")
        fi
    done 3<"$list"
    [ "$dry_run" = 0 ] || return "$listed"
    printf '%s: %d made, %d skipped (already finished), %d failed.\n' "$output_dir" "$made" "$kept" "${#failed[@]}"
    [ "${#failed[@]}" -eq 0 ] || fail "no video for: ${failed[*]}. See the messages above; re-run the command to retry only these."
    [ "$listed" -eq 0 ] || fail "some entries of $archive cannot be used. See the messages above."
}

clean_up() {
    [ -z "$scratch" ] || rm -f -- "$scratch"
    [ -n "$parts" ] || return 0
    trap '' HUP INT TERM
    if keep_result "$part_video" "$parts" "$part_prompt" 2>/dev/null; then
        printf 'Kept %s, which %s had finished.\n' "$part_video" "$model" >&2
    fi
    rm -rf -- "$parts"
}

parse_flags "$@"
check_arguments
toolkit_python=$(project_python)
require_program PYTHON "$toolkit_python"
plan
[ "$check_only" = 0 ] || exit 0
scratch='' parts='' part_video='' part_prompt=''
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -n "$archive" ]; then
    output_dir=$(absolute "$output_dir")
    run_archive
else
    output=$(absolute "$output")
    if [ "$dry_run" = 1 ]; then
        print_plan "$prompt" "$output"
    else
        make_video "$prompt" "$output" || exit 1
    fi
fi
