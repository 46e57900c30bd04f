# shellcheck shell=bash disable=SC2034,SC2154  # variables are shared with the script that sources this file
# How to run each HMR system, following its documentation. Source it after command.sh.
#
# Each run_* function reads $video, $fps, $frames, a unique name $name and a temporary folder $work. It calls "step FOLDER COMMAND..."
# for each command, sets $result (the file to expect) and $format (its reader), and adds files that the run leaves in the checkout
# to the array leftovers, or the beginnings of their names to leftover_prefixes. What a program needs of a video is checked with
# require_frames; $needs is a sentence about it for a run that finds no person. $is_complete is a command that tells whether $result is complete
# although the program ended badly.

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
        gem-smpl) set -- gem_smpl GEM_SMPL scripts/demo/demo_smpl_hpe.py 'GEM-SMPL (NVlabs, formerly GENMO)' ;;
        tokenhmr) set -- tokenhmr TOKENHMR tokenhmr/track.py 'TokenHMR (github.com/saidwivedi/TokenHMR)' ;;
        sam-3d-body) set -- sam_3d_body SAM_3D_BODY sam_3d_body/__init__.py 'SAM 3D Body (github.com/facebookresearch/sam-3d-body)' ;;
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

# require_frames N SENTENCE: the system finds no person in shorter videos, so do not start it.
require_frames() {
    needs=$2
    [ "$frames" -ge "$1" ] || usage_error "$video: has $frames frames. $needs Use a longer video or another system."
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
    result=$work/params.pt format=camerahmr
    step "$root" "$python" dump_params.py --image_folder "$work/frames" --output "$result" --fps "$fps" \
        --model_type "${CAMERAHMR_MODEL_TYPE:-smpl}" ${extra[@]+"${extra[@]}"}
}

phalp_needs='PHALP follows people who are detected in 5 frames in a row and are larger than 50 x 100 pixels.'

run_humans4d() {
    run_phalp 4dhumans track.py
}

run_tokenhmr() {
    local file checkpoint=${TOKENHMR_CHECKPOINT:-data/checkpoints/tokenhmr_model.ckpt} settings=${TOKENHMR_MODEL_CONFIG:-data/checkpoints/model_config.yaml}
    for file in "$checkpoint" "$settings"; do
        [ "$dry_run" = 1 ] || (cd -- "$root" && [ -f "$file" ]) ||
            usage_error "$file: not found (relative to $root). Download TokenHMR's weights, or set TOKENHMR_CHECKPOINT and TOKENHMR_MODEL_CONFIG."
    done
    run_phalp tokenhmr tokenhmr/track.py render.colors=slahmr "+checkpoint=$(for_hydra "$checkpoint")" "+model_config=$(for_hydra "$settings")"
}

# run_phalp FORMAT SCRIPT OPTION...: the tracker of 4D-Humans and TokenHMR.
run_phalp() {
    local script=$2 options=("${@:3}")
    require_frames 5 "$phalp_needs"
    link_video
    [ "$frames" -le 1300 ] || options+=("video.end_frame=$frames")  # raise its default limit
    result=$work/out/results/demo_$name.pkl format=$1
    # Hydra parses the values, so quote them for Hydra, too; its log goes to our folder.
    step "$root" "$python" "$script" "video.source=$(for_hydra "$linked")" "video.output_dir=$(for_hydra "$work/out")" \
        "hydra.run.dir=$(for_hydra "$work/hydra")" ${options[@]+"${options[@]}"} ${extra[@]+"${extra[@]}"}
}

for_hydra() {
    printf "'%s'\n" "${1//\'/\\\'}"
}

run_wham() {
    require_frames 30 'WHAM follows people who are detected in at least 30 frames.'
    link_video
    result=$work/out/$name/wham_output.pkl format=wham
    step "$root" "$python" demo.py --video "$linked" --output_pth "$work/out" --save_pkl ${extra[@]+"${extra[@]}"}
}

run_gvhmr() {
    run_into_checkout gvhmr hmr4d_results.pt tools/demo/demo.py ${static_camera:+-s}
}

run_gem_smpl() {
    run_into_checkout gem-smpl smpl_params.pt scripts/demo/demo_smpl_hpe.py --no_render ${static_camera:+-s}
}

# run_into_checkout FORMAT FILE SCRIPT OPTION...: GVHMR and its successors. Hydra parses the output folder, and a temporary folder may
# have a name that it cannot parse, so the results go to a folder in the checkout.
run_into_checkout() {
    link_video
    [ -d "$root/outputs" ] || leftover_folders+=("$root/outputs")
    result=$root/outputs/$name/$name/$2 format=$1
    leftovers+=("$root/outputs/$name")
    step "$root" "$python" "$3" --video "$linked" --output_root "outputs/$name" "${@:4}" ${extra[@]+"${extra[@]}"}
}

run_tram() {
    require_frames 16 'TRAM follows people who are detected in 16 frames in a row.'
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
    # Without the flag it serves a viewer when the result is written, and does not end.
    step "$root" "$python" scripts/demo_video.py --input_video "$linked" --no-run-viser ${static_camera:+--static_camera} ${extra[@]+"${extra[@]}"}
}

run_smpler_x() {
    take_frames
    result=$work/out format=smpler-x is_complete=has_every_frame
    # It adds the time to the name.
    leftover_prefixes+=("$root/output/demo_$name" "$root/main/output/demo_$name")
    [ -d "$root/output" ] || leftover_folders+=("$root/output")
    [ -d "$root/main/output" ] || leftover_folders+=("$root/main/output")
    # Without --show_verts every person opens a renderer.
    step "$root/main" "$python" inference.py --num_gpus 1 --exp_name "output/demo_$name" --pretrained_model "${SMPLER_X_CKPT:-smpler_x_h32}" \
        --agora_benchmark agora_model --img_path "$work/frames" --start 1 --end "$frames" --show_verts --output_folder "$result" ${extra[@]+"${extra[@]}"}
}

# has_every_frame: SMPLer-X wrote a file for the last frame.
has_every_frame() {
    compgen -G "$result/smplx/$(printf '%05d' "$frames")_*.npz" >/dev/null
}

run_sam_3d_body() {
    put_script "$repo/motion_rep/sam_3d_body_scripts/dump_params.py" dump_params.py
    take_frames
    result=$work/params.npz format=sam-3d-body
    step "$root" "$python" dump_params.py --image_folder "$work/frames" --output "$result" --fps "$fps" \
        --checkpoint "${SAM_3D_BODY_CKPT:-facebook/sam-3d-body-dinov3}" ${extra[@]+"${extra[@]}"}
}
