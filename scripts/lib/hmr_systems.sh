# shellcheck shell=bash disable=SC2034,SC2154  # variables are shared with the script that sources this file
# How to run each HMR system, following its documentation. Source it after command.sh.
#
# Each run_* function reads $video, $fps, $frames, a unique name $name and a temporary folder $work. It calls "step FOLDER COMMAND..."
# for each command, sets $result (the file to expect) and $format (its reader), and adds files that the run leaves in the checkout
# to the array leftovers.

# system_of MODEL: sets $system (a function name), $root_variable, $python_variable, $entry (a file that its checkout has) and $title.
system_of() {
    case $1 in
        smplest-x) set -- smplest_x SMPLEST_X main/base.py 'SMPLest-X (github.com/MotrixLab/SMPLest-X)' ;;
        camerahmr) set -- camerahmr CAMERAHMR mesh_estimator.py 'CameraHMR (github.com/pixelite1201/CameraHMR)' ;;
        4d-humans | 4dhumans) set -- humans4d HUMANS4D track.py '4D-Humans (github.com/shubham-goel/4D-Humans)' ;;
        wham) set -- wham WHAM demo.py 'WHAM (github.com/yohanshin/WHAM)' ;;
        gvhmr) set -- gvhmr GVHMR tools/demo/demo.py 'GVHMR (github.com/zju3dv/GVHMR)' ;;
        tram) set -- tram TRAM scripts/estimate_humans.py 'TRAM (github.com/yufu-wang/tram)' ;;
        prompthmr) set -- prompthmr PROMPTHMR scripts/demo_video.py 'PromptHMR (github.com/yufu-wang/PromptHMR)' ;;
        smpler-x) set -- smpler_x SMPLER_X main/inference.py 'SMPLer-X (github.com/caizhongang/SMPLer-X)' ;;
        *) return 1 ;;
    esac
    system=$1 root_variable=${2}_ROOT python_variable=${2}_PYTHON entry=$3 title=$4
}

# put_script OURS THEIRS: copy our drop-in into the checkout; keep the original file as THEIRS.original.
put_script() {
    local theirs=$root/$2
    cmp -s -- "$1" "$theirs" && return
    if [ "$dry_run" = 1 ]; then
        [ ! -e "$theirs" ] || [ -e "$theirs.original" ] || quote cp -p "$theirs" "$theirs.original"
        quote cp "$1" "$theirs"
        return
    fi
    if [ -e "$theirs" ] && ! grep -q '^"""Drop-in for\|^# Drop-in for' "$theirs"; then
        if [ -e "$theirs.original" ] && ! cmp -s -- "$theirs" "$theirs.original"; then
            usage_error "$theirs: was changed, and $2.original exists. Move one of them away; a drop-in replaces this script."
        fi
        cp -p -- "$theirs" "$theirs.original"
    fi
    if ! cp -- "$1" "$theirs.new" || ! mv -f -- "$theirs.new" "$theirs"; then
        usage_error "$theirs: cannot be written. Make it writable; the drop-in must be copied there."
    fi
    printf 'Copied the drop-in to %s.\n' "$theirs"
}

# take_frames: write the frames as pictures to $work/frames and set $frames to their number.
take_frames() {
    if [ "$dry_run" = 1 ]; then
        show_command "$PWD" "$toolkit_python" "$here/lib/write_frames.py" "$video" "$work/frames" --fps "$fps"
    else
        frames=$("$toolkit_python" "$here/lib/write_frames.py" "$video" "$work/frames" --fps "$fps") || exit $?
    fi
}

# put_video FOLDER TARGET: a link to the video; where programs would read it differently (uneven frame times, a rotation flag,
# pixels that are not square), an even and upright copy.
put_video() {
    if [ "$plain" = True ]; then
        step "$1" ln -s "$video" "$2"
    else
        step "$1" "$toolkit_python" "$here/lib/plain_video.py" "$video" "$2" --fps "$native_fps"
    fi
}

# link_video: link the video under its new name in $work.
link_video() {
    linked=$work/$name.mp4
    put_video "$PWD" "$linked"
}

run_smplest_x() {
    local file=$name.$extension
    put_script "$repo/motion_rep/smplest_x_scripts/inference.py" main/inference.py
    put_script "$repo/motion_rep/smplest_x_scripts/inference.sh" scripts/inference.sh
    [ -d "$root/demo" ] || leftover_folders+=("$root/demo")
    result=$root/demo/${name}_params.pt format=smplest-x
    made_preview=$root/demo/result_$name.mp4
    leftovers+=("$root/demo/$file" "$result" "$made_preview" "$root/demo/input_frames/$name" "$root/demo/output_frames/$name")
    step "$root" mkdir -p demo
    put_video "$root" "demo/$file"
    step "$root" env PYTHON="$python" sh scripts/inference.sh "${SMPLEST_X_CKPT:-smplest_x_h}" "$file" "$fps" ${extra[@]+"${extra[@]}"}
}

run_camerahmr() {
    put_script "$repo/motion_rep/camerahmr_scripts/dump_params.py" dump_params.py
    take_frames
    result=$work/params.pt format=standard
    step "$root" "$python" dump_params.py --image_folder "$work/frames" --output "$result" --fps "$fps" \
        --model_type "${CAMERAHMR_MODEL_TYPE:-smpl}" ${extra[@]+"${extra[@]}"}
}

run_humans4d() {
    local options=()
    link_video
    [ "$frames" -le 1300 ] || options=("video.end_frame=$frames")  # raise its default limit
    result=$work/out/results/demo_$name.pkl format=4dhumans
    # Hydra parses the values, so quote them for Hydra, too; its log goes to our folder.
    step "$root" "$python" track.py "video.source=$(for_hydra "$linked")" "video.output_dir=$(for_hydra "$work/out")" \
        "hydra.run.dir=$(for_hydra "$work/hydra")" ${options[@]+"${options[@]}"} ${extra[@]+"${extra[@]}"}
}

for_hydra() {
    printf "'%s'\n" "${1//\'/\\\'}"
}

run_wham() {
    link_video
    result=$work/out/$name/wham_output.pkl format=wham
    step "$root" "$python" demo.py --video "$linked" --output_pth "$work/out" --save_pkl ${extra[@]+"${extra[@]}"}
}

run_gvhmr() {
    link_video
    result=$work/out/$name/hmr4d_results.pt format=gvhmr
    step "$root" "$python" tools/demo/demo.py --video "$linked" --output_root "$work/out" ${static_camera:+-s} ${extra[@]+"${extra[@]}"}
}

run_tram() {
    link_video
    [ -d "$root/results" ] || leftover_folders+=("$root/results")
    result=$root/results/$name format=tram
    leftovers+=("$result")
    step "$root" "$python" scripts/estimate_camera.py --video "$linked" ${static_camera:+--static_camera}
    step "$root" "$python" scripts/estimate_humans.py --video "$linked" ${extra[@]+"${extra[@]}"}
}

run_prompthmr() {
    # Above 60 frames per second PromptHMR drops frames without saying which.
    [[ ${fps%.*} -le 60 ]] || usage_error "$video: has $fps frames per second; PromptHMR drops frames above 60. Convert the video to 60 or fewer first."
    link_video
    [ -d "$root/results" ] || leftover_folders+=("$root/results")
    result=$root/results/$name/results.pkl format=prompthmr
    leftovers+=("$root/results/$name")
    step "$root" "$python" scripts/demo_video.py --input_video "$linked" ${static_camera:+--static_camera} ${extra[@]+"${extra[@]}"}
}

run_smpler_x() {
    take_frames
    result=$work/out format=smpler-x
    leftovers+=("$root/output/demo_$name" "$root/main/output/demo_$name")
    [ -d "$root/output" ] || leftover_folders+=("$root/output")
    [ -d "$root/main/output" ] || leftover_folders+=("$root/main/output")
    step "$root/main" "$python" inference.py --num_gpus 1 --exp_name "output/demo_$name" --pretrained_model "${SMPLER_X_CKPT:-smpler_x_h32}" \
        --agora_benchmark agora_model --img_path "$work/frames" --start 1 --end "$frames" --output_folder "$result" ${extra[@]+"${extra[@]}"}
}
