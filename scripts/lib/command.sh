# shellcheck shell=bash disable=SC2034,SC2154  # variables are shared with the scripts that source this file
# Functions of all shell wrappers: flags in both spellings, one-line errors, quoting, locks. Source it after set -euo pipefail.

lib_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd -- "$lib_dir/../.." && pwd)

# fail TEXT: one line on stderr, exit 1. usage_error TEXT: the same with exit 2, for wrong flags and missing prerequisites.
fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

usage_error() {
    printf 'error: %s\n' "$1" >&2
    exit 2
}

warn() {
    printf 'warning: %s\n' "$1" >&2
}

# show_help: print the comment at the top of the running script.
show_help() {
    sed -n '2,${/^#/!q;s/^# \{0,1\}//;p;}' "$0"
    exit 0
}

# read_flag "$@": sets $flag (with dashes), $value and $used (the number of arguments read).
# $switches lists the flags without a value; a flag with a value may be given once.
read_flag() {
    case $1 in
        -h | --help) show_help ;;
        --*) ;;
        *) usage_error "unexpected argument '$1'. See $(basename -- "$0") --help." ;;
    esac
    flag=${1%%=*}
    flag=${flag//_/-}
    value='' used=1
    case " $switches " in
        *" $flag "*) return ;;
    esac
    case " $flags_seen " in
        *" $flag "*) usage_error "given more than once: $flag. See $(basename -- "$0") --help." ;;
    esac
    flags_seen+=" $flag"
    if [[ $1 == *=* ]]; then
        value=${1#*=}
    elif [ $# -ge 2 ]; then
        value=$2 used=2
    else
        usage_error "$flag needs a value. See $(basename -- "$0") --help."
    fi
}

# parse_flags "$@": call take_flag, defined by the script, for each flag; put the arguments after -- into the array extra.
parse_flags() {
    flags_seen=''
    while [ $# -gt 0 ]; do
        if [ "$1" = -- ]; then
            shift
            extra=("$@")
            return
        fi
        read_flag "$@"
        shift "$used"
        take_flag
    done
}

unknown_flag() {
    usage_error "unknown flag $1. See $(basename -- "$0") --help."
}

# require_whole NAME VALUE: VALUE must be a whole number, 0 or more.
require_whole() {
    case $2 in
        '' | *[!0-9]*) usage_error "$1 is '$2', expected a whole number, 0 or more." ;;
    esac
}

# require_rate NAME VALUE: VALUE must be a frame rate such as 16 or 29.97.
require_rate() {
    [[ $2 =~ ^[0-9]+(\.[0-9]+)?$ && $2 =~ [1-9] ]] || usage_error "$1 is '$2', expected frames per second, like 16 or 29.97."
}

# project_python: print the interpreter for this toolkit's commands.
project_python() {
    if [ -n "${PYTHON:-}" ]; then
        printf '%s\n' "$PYTHON"
    elif [ -x "$repo/.venv/bin/python" ]; then
        printf '%s\n' "$repo/.venv/bin/python"
    else
        printf 'python3\n'
    fi
}

# refuse_same OUTPUT_FLAG OUTPUT INPUT_FLAG INPUT: the two must not be one file, by any name.
refuse_same() {
    ! [ "$2" -ef "$4" ] || usage_error "$1 and $3 are the same file, $2. Give $1 another name."
}

# require_program VARIABLE NAME: the program NAME must exist; the environment variable VARIABLE selects another one.
require_program() {
    command -v -- "$2" >/dev/null 2>&1 || usage_error "$2: not found. Activate its environment, or set $1."
}

# runner NAME: print a program name, with a path made absolute because the program runs in another folder.
runner() {
    case $1 in
        */*) absolute "$1" ;;
        *) printf '%s\n' "$1" ;;
    esac
}

# absolute PATH: print the absolute path; the file need not exist.
absolute() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "$PWD/${1#./}" ;;
    esac
}

# require_space FOLDER: the disk of the folder, or of its first parent that is there, must have some room for results.
least_megabytes=200
require_space() {
    local folder free
    folder=$(absolute "$1")
    while [ ! -d "$folder" ]; do
        folder=$(dirname -- "$folder")
    done
    # Systems whose df says nothing are not checked.
    free=$(df -Pk -- "$folder" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }') || return 0
    [ -z "$free" ] || [ "$free" -ge "$least_megabytes" ] ||
        usage_error "$1: its disk has $free MB left, expected at least $least_megabytes MB. Free some space, or choose another folder."
}

# lock_folder FOLDER: wait until no other run uses the folder, then lock it until this script and its child processes end (also
# orphans of a killed run). $lock holds the file descriptor. Systems without flock do not lock.
lock_folder() {
    lock=''
    command -v flock >/dev/null 2>&1 || return 0
    { exec {lock}<"$1"; } 2>/dev/null || return 1
    ! flock --nonblock "$lock" 2>/dev/null || return 0
    warn "$1: in use by another run or by a program left from a killed run; waiting until it ends."
    flock "$lock" 2>/dev/null || :
}

# lock_new_folder FOLDER: create, lock and empty a folder that is removed at the end.
lock_new_folder() {
    while :; do
        mkdir -p -- "$1" || return 1
        lock_folder "$1" || continue
        if [ -z "$lock" ] || [ "$1" -ef "/dev/fd/$lock" ]; then
            break
        fi
        # The previous holder removed the folder.
        exec {lock}<&-
    done
    find "$1" -mindepth 1 -delete
}

# quote WORD...: print the words for a shell, in single quotes only where needed.
quote() {
    local word space=''
    for word in "$@"; do
        case $word in
            '' | *[!A-Za-z0-9_@%+=:,./-]*) printf "%s'%s'" "$space" "${word//\'/\'\\\'\'}" ;;
            *) printf '%s%s' "$space" "$word" ;;
        esac
        space=' '
    done
    printf '\n'
}

# show_command FOLDER WORD...: print the shell line that the wrapper would run.
show_command() {
    printf 'cd %s && %s\n' "$(quote "$1")" "$(shift && quote "$@")"
}

# run_in FOLDER WORD...: run a command in a folder with stdin closed, so that it cannot read the list of entries.
run_in() {
    (cd -- "$1" && shift && exec "$@") </dev/null
}
