# shellcheck shell=bash disable=SC2034,SC2154  # variables are shared with the script that sources this file
# Command lines of the text-to-video programs, following their documentation. Source it after command.sh.
#
# Each plan_* function reads $size, $frames, $seed and the array extra, and sets $program_root (the folder to run in) and $root_variable;
# each command_* function takes a prompt and a folder for the result, and sets the array program and $result (the file to expect).

# require_root VARIABLE HINT FILE [OR]: the checkout named by VARIABLE must contain FILE; a dry run only warns. OR ends the advice.
require_root() {
    root_variable=$1
    program_root=${!1:-}
    local problem=''
    if [ -z "$program_root" ]; then
        problem="$1 is not set. Set it to your checkout of $2: export $1=/path/to/checkout"
    elif [ ! -e "$program_root/$3" ]; then
        problem="$program_root: contains no $3, expected a checkout of $2. Correct $1${4:+ $4}."
    fi
    [ -z "$program_root" ] || program_root=$(absolute "$program_root")
    report_problem "$problem"
}

# require_checkpoint FOLDER HINT: the checkpoint folder, relative to the checkout, must exist; a dry run only warns.
require_checkpoint() {
    [ -z "$program_root" ] || (cd -- "$program_root" 2>/dev/null && [ -d "$1" ]) || report_problem "$1: checkpoint not found (relative to $program_root). $2"
}

# require_runner VARIABLE NAME: the interpreter of the program must exist.
require_runner() {
    [ "$dry_run" = 1 ] || command -v -- "$2" >/dev/null 2>&1 || report_problem "$2: not found. Activate its environment, or set $1."
}

# report_problem TEXT: a prerequisite is missing. A dry run only warns; with an archive, which may need no new video, keep TEXT in $missing.
report_problem() {
    [ -n "$1" ] || return 0
    if [ "$dry_run" = 1 ]; then
        warn "$1"
    elif [ -n "$archive" ]; then
        missing=${missing:-$1}
    else
        usage_error "$1"
    fi
}

# checkpoint_or GIVEN DEFAULT: print the absolute path of the given folder, or the documented default.
checkpoint_or() {
    if [ -n "$1" ]; then
        absolute "$1"
    else
        printf '%s\n' "$2"
    fi
}

# require_frames STEP MOST: $frames must be a multiple of STEP plus 1, at most MOST.
require_frames() {
    [ -n "$frames" ] || return 0
    if [ $((frames % $1)) -ne 1 ] || [ "$frames" -gt "$2" ] || [ "$frames" -le 1 ]; then
        usage_error "--frames $frames: $model supports $1n+1 frames, $(($1 + 1)) to $2 (like $(($1 * ((frames < $2 ? frames : $2) / $1) + 1)))."
    fi
}

# require_size WxH...: $size must be one of these.
require_size() {
    case " $* " in
        *" $size "*) ;;
        *) usage_error "--size $size: $model supports only $*." ;;
    esac
}

# flag_with_value FLAG TEXT: sets $words to FLAG TEXT, or to FLAG=TEXT if the text starts with a dash.
flag_with_value() {
    case $2 in
        -*) words=("$1=$2") ;;
        *) words=("$1" "$2") ;;
    esac
}

# ------------------------------------------------------------------------------------------------------- Wan 2.2 and 2.1

plan_wan() {
    # Both versions have a generate.py; their configurations tell them apart.
    case $model in
        wan2.2)
            wan_version 2.2 t2v-A14B WAN_T2V_A14B_CKPT --convert_model_dtype
            wan_sizes 1280x720 720x1280 832x480 480x832
            ;;
        wan2.2-5b)
            wan_version 2.2 ti2v-5B WAN_TI2V_5B_CKPT --convert_model_dtype --t5_cpu
            wan_sizes 1280x704 704x1280
            ;;
        wan2.1)
            wan_version 2.1 t2v-14B WAN21_T2V_14B_CKPT
            wan_sizes 1280x720 720x1280 832x480 480x832
            ;;
        wan2.1-1.3b)
            wan_version 2.1 t2v-1.3B WAN21_T2V_1_3B_CKPT --t5_cpu --sample_shift 8 --sample_guide_scale 6
            wan_sizes 832x480 480x832
            ;;
    esac
    require_frames 4 1001
}

# wan_version VERSION TASK CHECKPOINT_VARIABLE OPTION...: the checkout, interpreter and weights of a task.
wan_version() {
    local prefix=WAN other config=${2//[-.]/_} folder=Wan$1-${2^^} given=${!3:-} runner_variable
    [ "$1" = 2.2 ] || prefix=WAN21
    other=2.1
    [ "$1" = 2.2 ] || other=2.2
    require_root "${prefix}_ROOT" "Wan$1 (github.com/Wan-Video/Wan$1)" "wan/configs/wan_$config.py" "(a checkout of Wan$other has other models: --model wan$other)"
    runner_variable=${prefix}_PYTHON
    python=$(runner "${!runner_variable:-python}")
    require_runner "$runner_variable" "$python"
    wan_task=$2 wan_checkpoint=$(checkpoint_or "$given" "./$folder") wan_options=("${@:4}")
    require_checkpoint "$wan_checkpoint" "Download Wan-AI/$folder there, or set $3 to its folder."
}

# wan_sizes WxH...: the first is the default.
wan_sizes() {
    size=${size:-$1}
    require_size "$@"
}

command_wan() {
    result=$2/video.mp4
    program=("$python" generate.py --task "$wan_task" --size "${size/x/*}" --ckpt_dir "$wan_checkpoint" --offload_model True ${wan_options[@]+"${wan_options[@]}"})
    [ -z "$frames" ] || program+=(--frame_num "$frames")
    flag_with_value --prompt "$1"
    program+=("${words[@]}" --save_file "$result" --base_seed "$seed")
}

# ---------------------------------------------------------------------------------------------------------------- CogVideoX

plan_cogvideox() {
    require_root COGVIDEO_ROOT 'CogVideo (github.com/zai-org/CogVideo)' inference/cli_demo.py
    python=$(runner "${COGVIDEO_PYTHON:-python}")
    require_runner COGVIDEO_PYTHON "$python"
    cog_model=${COGVIDEO_MODEL:-THUDM/CogVideoX1.5-5B}
    cog_model=${cog_model%/}
    cog_options=()
    # The program looks up the last part of the name in a table.
    case $(basename -- "$cog_model" | tr '[:upper:]' '[:lower:]') in
        cogvideox1.5-5b) cog_rules 16 16 161 81 1360x768 ;;
        cogvideox-5b) cog_rules 8 8 49 49 720x480 ;;
        cogvideox-2b) cog_rules 8 8 49 49 720x480 && cog_options=(--dtype float16) ;;
        *) usage_error "COGVIDEO_MODEL is $cog_model, expected a name or folder ending in CogVideoX1.5-5B, CogVideoX-5b or CogVideoX-2b." ;;
    esac
    [ ! -d "$cog_model" ] || cog_model=$(absolute "$cog_model")
}

# cog_rules FPS STEP MOST FRAMES SIZE: the rate, the allowed and default numbers of frames, and the only size.
cog_rules() {
    cog_fps=$1
    require_frames "$2" "$3"
    frames=${frames:-$4} size=${size:-$5}
    require_size "$5"
}

command_cogvideox() {
    result=$2/video.mp4
    flag_with_value --prompt "$1"
    program=("$python" inference/cli_demo.py "${words[@]}" --model_path "$cog_model" --generate_type t2v)
    program+=(--num_frames "$frames" --fps "$cog_fps" --seed "$seed" --output_path "$result" ${cog_options[@]+"${cog_options[@]}"})
}

# ---------------------------------------------------------------------------------------------------------------- Open-Sora

plan_open_sora() {
    require_root OPENSORA_ROOT 'Open-Sora v2 (github.com/hpcaitech/Open-Sora)' scripts/diffusion/inference.py
    torchrun=$(runner "${OPENSORA_TORCHRUN:-torchrun}")
    require_runner OPENSORA_TORCHRUN "$torchrun"
    # Its configuration expects the weights in ./ckpts.
    require_checkpoint ./ckpts 'Download hpcai-tech/Open-Sora-v2 there, or put a link named ckpts there.'
    frames=${frames:-129} size=${size:-336x192}
    require_frames 4 129
    case $size in
        336x192) sora_class=256px sora_ratio=16:9 ;;
        192x336) sora_class=256px sora_ratio=9:16 ;;
        256x256) sora_class=256px sora_ratio=1:1 ;;
        1024x576) sora_class=768px sora_ratio=16:9 ;;
        576x1024) sora_class=768px sora_ratio=9:16 ;;
        768x768) sora_class=768px sora_ratio=1:1 ;;
        *) usage_error "--size $size: $model supports only 336x192 192x336 256x256 1024x576 576x1024 768x768." ;;
    esac
}

command_open_sora() {
    # The name of the result is not known in advance; the wrapper searches for it.
    result=''
    # Values must not look like flags, so prefix a leading dash with a space; double the quotation marks, because the program writes
    # the prompt into a quoted CSV field.
    local prompt=${1//\"/\"\"}
    case $prompt in
        -* | [Nn][Oo][Nn][Ee] | [Tt][Rr][Uu][Ee] | [Ff][Aa][Ll][Ss][Ee]) prompt=" $prompt" ;;
    esac
    # It takes digits for a number, and calls 0 a missing prompt.
    [[ ! $prompt =~ ^[[:space:]]*[-+]?[0-9._]+([eE][-+]?[0-9]+)?[[:space:]]*$ ]] || prompt="$prompt ."
    program=("$torchrun" --nproc_per_node 1 --standalone scripts/diffusion/inference.py "configs/diffusion/inference/t2i2v_$sora_class.py")
    program+=(--save-dir "$2" --prompt "$prompt" --offload_model True --num_frames "$frames" --aspect_ratio "$sora_ratio")
    program+=(--seed "$seed" --sampling_option.seed "$seed")
}

# ----------------------------------------------------------------------------------------------------- HunyuanVideo 1.5

plan_hunyuan() {
    require_root HUNYUAN_ROOT 'HunyuanVideo-1.5 (github.com/Tencent-Hunyuan/HunyuanVideo-1.5)' hyvideo
    torchrun=$(runner "${HUNYUAN_TORCHRUN:-torchrun}")
    require_runner HUNYUAN_TORCHRUN "$torchrun"
    hunyuan_checkpoint=$(checkpoint_or "${HUNYUAN_CKPT:-}" ./ckpts)
    require_checkpoint "$hunyuan_checkpoint" 'Download tencent/HunyuanVideo-1.5 there, or set HUNYUAN_CKPT to its folder.'
    frames=${frames:-121} size=${size:-848x480}
    require_frames 4 241
    case $size in
        848x480) hunyuan_class=480p hunyuan_ratio=16:9 ;;
        480x848) hunyuan_class=480p hunyuan_ratio=9:16 ;;
        1280x720) hunyuan_class=720p hunyuan_ratio=16:9 ;;
        720x1280) hunyuan_class=720p hunyuan_ratio=9:16 ;;
        *) usage_error "--size $size: $model supports only 848x480 480x848 1280x720 720x1280." ;;
    esac
}

command_hunyuan() {
    result=$2/video.mp4
    flag_with_value --prompt "$1"
    program=("$torchrun" --nproc_per_node=1 generate.py "${words[@]}" --resolution "$hunyuan_class" --aspect_ratio "$hunyuan_ratio")
    # By default a second network doubles the size, and another one on a server rewrites the prompt.
    program+=(--model_path "$hunyuan_checkpoint" --video_length "$frames" --seed "$seed" --sr false --rewrite false --offloading true)
    program+=(--output_path "$result")
}

# ---------------------------------------------------------------------------------------------------------------- LTX-2

plan_ltx() {
    require_root LTX_ROOT 'LTX-2 (github.com/Lightricks/LTX-2)' packages/ltx-pipelines
    python=$(runner "${LTX_PYTHON:-python}")
    require_runner LTX_PYTHON "$python"
    ltx_files=()
    ltx_file --checkpoint-path LTX_CHECKPOINT
    ltx_file --distilled-lora LTX_LORA 0.8
    ltx_file --spatial-upsampler-path LTX_UPSAMPLER
    ltx_file --gemma-root LTX_GEMMA
    frames=${frames:-121} size=${size:-1280x704}
    require_frames 8 257
    if [ $((${size%x*} % 64)) -ne 0 ] || [ $((${size#*x} % 64)) -ne 0 ]; then
        usage_error "--size $size: $model needs multiples of 64, like 1280x704."
    fi
}

# ltx_file FLAG VARIABLE [MORE]: a part of the model; a dry run shows the variable.
ltx_file() {
    local path=${!2:-}
    if [ -z "$path" ]; then
        report_problem "$2 is not set. Set it to LTX-2's file for $1; its README lists the downloads."
        path=/path/to/$2
    elif [ ! -e "$path" ]; then
        report_problem "$path: not found. Correct $2."
    fi
    ltx_files+=("$1" "$(absolute "$path")" ${3:+"$3"})
}

command_ltx() {
    result=$2/video.mp4
    flag_with_value --prompt "$1"
    program=("$python" -m ltx_pipelines.ti2vid_two_stages "${ltx_files[@]}" "${words[@]}" --output-path "$result")
    # Its default number of frames differs.
    program+=(--num-frames "$frames" --frame-rate 24 --width "${size%x*}" --height "${size#*x}" --seed "$seed")
}

# ------------------------------------------------------------------------------------------------------------ diffusers

plan_diffusers() {
    diffusers_model=${model#diffusers:}
    [ -n "$diffusers_model" ] || usage_error "--model $model: expected diffusers:MODEL, like diffusers:Wan-AI/Wan2.1-T2V-1.3B-Diffusers."
    [ ! -d "$diffusers_model" ] || diffusers_model=$(absolute "$diffusers_model")
    python=$(runner "${DIFFUSERS_PYTHON:-python}")
    require_runner DIFFUSERS_PYTHON "$python"
    program_root=$lib_dir root_variable=''
    local problem
    # The runner knows the rates, frames and sizes of the models.
    problem=$("$toolkit_python" "$lib_dir/diffusers_video.py" --model "$diffusers_model" --check ${frames:+--frames "$frames"} ${size:+--size "$size"} 2>&1) ||
        usage_error "${problem#error: }"
}

command_diffusers() {
    result=$2/video.mp4
    flag_with_value --prompt "$1"
    program=("$python" diffusers_video.py --model "$diffusers_model" "${words[@]}" --output "$result" --seed "$seed")
    program+=(${frames:+--frames "$frames"} ${size:+--size "$size"})
}
