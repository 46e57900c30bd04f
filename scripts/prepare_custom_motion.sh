#!/usr/bin/env bash
# Make gated reference motions from a prompt, a video or an archive: video, capture, motion, overlay to check, gate, review page.
#
#   prepare_custom_motion.sh --prompt TEXT     --output-dir D
#   prepare_custom_motion.sh --video V.mp4     --output-dir D    [--prompt TEXT: description of the video, for the judge]
#   prepare_custom_motion.sh --archive A.json  --output-dir D
#
#   --t2v-model M     wan2.2 (default) | wan2.1-1.3b | ...; --seed, --size, --frames, --prompt-field as in generate_video.sh
#   --hmr-model M     auto (default) | preview | smplest-x | ...; --fps, --person, --focal-length, --static-camera as in extract_motion.sh
#   --target-fps N    frame rate of the motions (default: 16, the rate at which TM2M plays every motion)
#   --refine          level, smooth and plant the feet where it is safe; the raw motions stay in D/motions_raw
#   --judge J         gemini | openai | manual | none; default: manual with --verdicts, gemini if its key is set, else none
#   --verdicts FILE   human verdicts, as exported by the review page
#   --jitter-threshold X  largest jitter that passes (default: 0.04)
#   --vimogen-root R  also write D/tm2m.json, the archive for the TM2M loader of the ViMoGen checkout R, and print the remaining steps
#   --dry-run         print the commands without running them
#   -- ...            pass the remaining arguments to apply_quality_gate.py
#
# Re-run the command to resume it: finished, unchanged files are kept. An existing D/videos/<id>.mp4 is used instead of generating one.
# The summary goes to stdout; all other messages go to stderr and into D/logs. D/review/index.html shows the results.
#
# Exit code: 0 all decided; 1 some entries failed or stayed undecided; 2 wrong usage or missing prerequisite.

# shellcheck disable=SC2317,SC2329  # the steps are called through do_step
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/command.sh
. "$here/lib/command.sh"

switches='--dry-run --static-camera --refine'
prompt='' video='' archive='' output_dir='' vimogen_root='' hmr_model=auto t2v_model=wan2.2 judge='' verdicts='' dry_run=0
t2v_options=() hmr_options=() convert_options=(--target-fps 16) gate_options=() extra=()
worst=0 no_judge='' refine=0

take_flag() {
    case $flag in
        --prompt) prompt=$value ;;
        --video) video=$value ;;
        --archive) archive=$value ;;
        --output-dir) output_dir=$value ;;
        --t2v-model) t2v_model=$value ;;
        --seed | --size | --frames | --prompt-field) t2v_options+=("$flag=$value") ;;
        --hmr-model) hmr_model=$value ;;
        --fps | --person | --focal-length) hmr_options+=("$flag=$value") ;;
        --static-camera) hmr_options+=("$flag") ;;
        --refine) refine=1 ;;
        --target-fps) require_rate "$flag" "$value" && convert_options=(--target-fps "$value") ;;
        --judge) judge=$value ;;
        --verdicts) verdicts=$value && gate_options+=(--verdicts "$value") ;;
        --jitter-threshold) gate_options+=(--jitter-threshold "$value") ;;
        --vimogen-root) vimogen_root=$value ;;
        --dry-run) dry_run=1 ;;
        *) unknown_flag "$flag" ;;
    esac
}

check_arguments() {
    [ -n "$output_dir" ] || usage_error "--output-dir is missing. Give the folder for all results."
    if [ -n "$archive" ]; then
        [ -z "$prompt$video" ] || usage_error "--archive cannot be combined with --prompt or --video."
        [ -f "$archive" ] || usage_error "$archive: not found. Give an existing archive."
    elif [ -z "$video" ]; then
        [[ $prompt =~ [^[:space:]] ]] || usage_error "give --prompt TEXT, --video V.mp4 or --archive A.json."
    else
        [ -f "$video" ] || usage_error "$video: not found. Give an existing video."
        [ "${#t2v_options[@]}" -eq 0 ] || usage_error "${t2v_options[0]%%=*} sets how to generate a video; it cannot be combined with --video."
    fi
    [ -z "$vimogen_root" ] || [ -d "$vimogen_root" ] || usage_error "--vimogen-root $vimogen_root: is no folder. Give your checkout of ViMoGen."
    case $judge in
        '' | gemini | openai | manual | none) ;;
        *) usage_error "--judge is '$judge', expected gemini, openai, manual or none." ;;
    esac
}

choose_judge() {
    [ -z "$judge" ] || return 0
    if [ -n "$verdicts" ]; then
        judge=manual
    elif [ -n "${GEMINI_API_KEY:-}${GOOGLE_API_KEY:-}" ]; then
        judge=gemini
    else
        judge=none
        no_judge='No judge was asked because GEMINI_API_KEY is not set. Give your verdicts on the review page, export them, and re-run with --verdicts FILE.'
    fi
}

# do_step TITLE COMMAND...: run or print the command; keep the worst exit code and continue with the next step.
do_step() {
    local title=$1 code=0
    shift
    if [ "$dry_run" = 1 ]; then
        [ "$1" != logged ] || shift 2
        quote "$@"
        return
    fi
    printf '\n== %s\n' "$title" >&2
    "$@" </dev/null >&2 || code=$?
    [ "$code" -le "$worst" ] || worst=$code
    [ "$code" -le 128 ] || exit "$code"
}

# is_current STEP NAME OUTPUT INPUT SETTINGS: the output exists and was made from this input with these settings.
is_current() {
    [ -s "$3" ] && [ -f "$state/$2.$1" ] && [ "$(fingerprint "$4" "$5")" = "$(cat -- "$state/$2.$1")" ]
}

mark_current() {
    { fingerprint "$3" "$4" >"$state/$2.$1"; } 2>/dev/null || warn "$state/$2.$1: cannot be written; the next run will repeat this step."
}

fingerprint() {
    printf '%s %s\n' "$(cksum <"$1")" "$2"
}

make_videos() {
    [ -z "$video" ] || return 0
    local command=("$here/generate_video.sh" --model "$t2v_model" --archive "$work_archive" --output-dir "$output_dir/videos")
    command+=(${t2v_options[@]+"${t2v_options[@]}"})
    do_step 'Step 1: videos' logged videos "${command[@]}"
    # Without the program, only entries with an existing video can continue.
    [ "$worst" -lt 2 ] || any_video || exit 2
}

any_video() {
    local path
    for path in ${videos[@]+"${videos[@]}"}; do
        [ ! -s "$path" ] || return 0
    done
    return 1
}

# logged NAME COMMAND...: also write the messages to a log file.
logged() {
    local log=$output_dir/logs/$1.log
    shift
    "$@" 2>&1 | tee -- "$log"
}

capture_one() {
    local name=$1 source=$2 target=$output_dir/captures/$1.pt settings="$hmr_model ${hmr_options[*]-}"
    if is_current capture "$name" "$target" "$source" "$settings"; then
        printf '%s: capture exists, skipped.\n' "$name"
        return
    fi
    # Remove the old motion too, so that it cannot be mistaken for the motion of the new capture.
    rm -f -- "$state/$name.capture" "$target" "$output_dir/motions/$name.pt" "$output_dir/motions_raw/$name.pt"
    logged "$name.capture" "$here/extract_motion.sh" --model "$hmr_model" --video "$source" --output "$target" \
        ${hmr_options[@]+"${hmr_options[@]}"} || return
    mark_current capture "$name" "$source" "$settings"
}

capture_all() {
    local index code=0 one
    for index in "${!names[@]}"; do
        [ -s "${videos[$index]}" ] || continue
        one=0
        capture_one "${names[$index]}" "${videos[$index]}" || one=$?
        [ "$one" -le "$code" ] || code=$one
        # Ctrl-C or a missing prerequisite: the other entries would fail, too.
        [ "$one" -lt 2 ] || return "$one"
    done
    return "$code"
}

# Convert only the captures of this set; the folder may hold others. Pass the folder if the command line would become too long.
convert_all() {
    local name inputs=()
    for name in "${names[@]}"; do
        [ ! -s "$output_dir/captures/$name.pt" ] || inputs+=("$output_dir/captures/$name.pt")
    done
    [ "${#inputs[@]}" -le 5000 ] || inputs=("$output_dir/captures")
    [ "${#inputs[@]}" -gt 0 ] || return 1
    local code=0
    logged convert "$toolkit_python" "$repo/motion_rep/convert_hmr_to_motion.py" -i "${inputs[@]}" -o "$output_dir/$converted" \
        ${convert_options[@]+"${convert_options[@]}"} || code=$?
    [ "$refine" = 0 ] || refine_all || code=$?
    "$toolkit_python" "$here/lib/motion_set.py" measure "$output_dir" || return
    return "$code"
}

refine_all() {
    local name inputs=()
    for name in "${names[@]}"; do
        [ ! -s "$output_dir/$converted/$name.pt" ] || inputs+=("$output_dir/$converted/$name.pt")
    done
    [ "${#inputs[@]}" -le 5000 ] || inputs=("$output_dir/$converted")
    [ "${#inputs[@]}" -gt 0 ] || return 1
    logged refine "$toolkit_python" "$repo/motion_rep/refine_motion.py" -i "${inputs[@]}" -o "$output_dir/motions" \
        --report "$output_dir/refine_report.json"
}

any_motion() {
    local name
    for name in "${names[@]}"; do
        [ ! -s "$output_dir/motions/$name.pt" ] || return 0
    done
    return 1
}

check_one() {
    local name=$1 source=$2 motion=$output_dir/motions/$1.pt
    ! is_current check "$name" "$output_dir/checks/${name}_overlay.mp4" "$motion" "$(cksum <"$source")" || return 0
    rm -f -- "$state/$name.check"
    logged "$name.check" "$toolkit_python" "$repo/motion_rep/motion_checker.py" --motion_file "$motion" --output_dir "$output_dir/checks" \
        --video_file "$source" || return
    mark_current check "$name" "$motion" "$(cksum <"$source")"
}

check_all() {
    local index code=0
    for index in "${!names[@]}"; do
        [ ! -s "$output_dir/motions/${names[$index]}.pt" ] || check_one "${names[$index]}" "${videos[$index]}" || code=1
    done
    return "$code"
}

# check_prerequisites: whatever can be known before hours of work: disk space, the judge with its key, its flags, and the HMR system.
check_prerequisites() {
    require_space "$output_dir"
    "$toolkit_python" "$repo/motion_gating/apply_quality_gate.py" --check-only --meta-json "$output_dir/rendered$suffix" \
        --quality-report "$output_dir/quality_report.json" --judge "$judge" ${gate_options[@]+"${gate_options[@]}"} ${extra[@]+"${extra[@]}"} >&2 || exit 2
    # A resumed run may need no new capture.
    ! compgen -G "$output_dir/captures/*.pt" >/dev/null || return 0
    "$here/extract_motion.sh" --check-only --model "$hmr_model" ${hmr_options[@]+"${hmr_options[@]}"} >/dev/null || exit 2
}

# remove_empty_folders: a run that failed before it made anything leaves no folders.
remove_empty_folders() {
    local folder
    for folder in "$output_dir"/{.state,logs,captures,motions,checks,videos,renders} "$output_dir"; do
        rmdir -- "$folder" 2>/dev/null || :
    done
}

plan_names() {
    local options=()
    [ -z "$archive" ] || options+=(--archive "$archive")
    [ -z "$prompt" ] || options+=("--prompt=$prompt")
    [ -z "$video" ] || options+=(--video "$video")
    [ -z "$verdicts" ] || options+=(--verdicts "$verdicts")
    names=() videos=()
    if ! mkdir -p -- "$output_dir" 2>/dev/null || [ ! -w "$output_dir" ]; then
        usage_error "$output_dir: cannot be written. Choose a folder that you may write to."
    fi
    trap remove_empty_folders EXIT
    lock_folder "$output_dir"
    if ! "$toolkit_python" "$here/lib/motion_set.py" begin "$output_dir" "${options[@]}" >"$output_dir/.entries"; then
        rm -f -- "$output_dir/.entries"
        exit 2
    fi
    while IFS= read -r -u 3 -d '' _ && IFS= read -r -u 3 -d '' name && IFS= read -r -u 3 -d '' path; do
        names+=("$name")
        videos+=("$path")
    done 3<"$output_dir/.entries"
    rm -f -- "$output_dir/.entries"
    state=$output_dir/.state
    mkdir -p -- "$state" "$output_dir/logs" "$output_dir/captures" "$output_dir/motions" "$output_dir/checks"
    work_archive=$output_dir/archive$suffix
}

gate() {
    do_step 'Step 4: render the motions for the judge' logged render "$toolkit_python" "$repo/motion_gating/render_mbench_videos.py" --meta-json "$work_archive" \
        --output-json "$output_dir/rendered$suffix" --output-dir "$output_dir/renders"
    [ "$dry_run" = 1 ] || [ -s "$output_dir/rendered$suffix" ] || return 0
    do_step "Step 4: gate ($judge)" logged gate "$toolkit_python" "$repo/motion_gating/apply_quality_gate.py" \
        --meta-json "$output_dir/rendered$suffix" --quality-report "$output_dir/quality_report.json" --output-json "$output_dir/gated$suffix" \
        --judge "$judge" ${gate_options[@]+"${gate_options[@]}"} ${extra[@]+"${extra[@]}"}
    # Without an archive of decisions the gate has said why; a second error about the missing file would hide it.
    [ "$dry_run" = 1 ] || [ -s "$output_dir/gated$suffix" ] || return 0
    do_step 'Review page' logged review "$toolkit_python" "$repo/motion_gating/build_report.py" --meta-json "$output_dir/gated$suffix" \
        --quality-report "$output_dir/quality_report.json" --output "$output_dir/review" --checks "$output_dir/checks" \
        ${review_options[@]+"${review_options[@]}"}
    [ -z "$vimogen_root" ] || do_step 'Archive for TM2M' logged tm2m "$toolkit_python" "$repo/motion_gating/export_for_tm2m.py" \
        --meta-json "$output_dir/gated$suffix" --vimogen-root "$vimogen_root" -o "$output_dir/tm2m.json"
}

print_plan() {
    # The entry names are not known yet; NAME stands for each of them.
    local source=${video:-$output_dir/videos/NAME.mp4}
    work_archive=$output_dir/archive$suffix
    printf '# A run first writes %s, with an entry for each NAME.\n' "$(quote "$work_archive")"
    make_videos
    quote "$here/extract_motion.sh" --model "$hmr_model" --video "$source" --output "$output_dir/captures/NAME.pt" ${hmr_options[@]+"${hmr_options[@]}"}
    quote "$toolkit_python" "$repo/motion_rep/convert_hmr_to_motion.py" -i "$output_dir/captures/NAME.pt" -o "$output_dir/$converted" ${convert_options[@]+"${convert_options[@]}"}
    [ "$refine" = 0 ] || quote "$toolkit_python" "$repo/motion_rep/refine_motion.py" -i "$output_dir/$converted/NAME.pt" -o "$output_dir/motions" --report "$output_dir/refine_report.json"
    quote "$toolkit_python" "$repo/motion_rep/motion_checker.py" --motion_file "$output_dir/motions/NAME.pt" --output_dir "$output_dir/checks" --video_file "$source"
    gate
}

finish() {
    local code=0
    printf '\n== Result\n' >&2
    "$toolkit_python" "$here/lib/motion_set.py" finish "$output_dir" ${video:+--video "$video"} || code=$?
    [ -z "$no_judge" ] || [ ! -s "$output_dir/review/index.html" ] || printf '%s\n' "$no_judge"
    [ "$code" -le "$worst" ] || worst=$code
    exit "$worst"
}

parse_flags "$@"
check_arguments
toolkit_python=$(project_python)
require_program PYTHON "$toolkit_python"
export PYTHON="$toolkit_python"
suffix=.json
case $archive in
    *.jsonl | *.ndjson) suffix=.jsonl ;;
esac
choose_judge
converted=motions review_options=()
if [ "$refine" = 1 ]; then
    converted=motions_raw
    review_options=(--raw-motions "$output_dir/$converted")
fi
trap 'exit 130' INT
trap 'exit 143' TERM
if [ "$dry_run" = 1 ]; then
    print_plan
    exit 0
fi
check_prerequisites
plan_names
make_videos
do_step 'Step 2: captures' capture_all
do_step 'Step 3: motions' convert_all
if any_motion; then
    do_step 'Step 3: overlays' check_all
    gate
fi
finish
