# shellcheck shell=bash disable=SC2034,SC2154  # what is set here is read by the scripts that source this file, and the other way round
# What the shell wrappers share: flags in both spellings, one-line errors, quoting, the project's Python. To be sourced, after set -euo pipefail.

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

# show_help: the comment at the top of the script that was started, without its marks.
show_help() {
    sed -n '2,${/^#/!q;s/^# \{0,1\}//;p;}' "$0"
    exit 0
}

# read_flag "$@": the next flag in $flag (dashes only), its value in $value, how many arguments it took in $used.
# $switches holds the flags that take no value.
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
    if [[ $1 == *=* ]]; then
        value=${1#*=}
    elif [ $# -ge 2 ]; then
        value=$2 used=2
    else
        usage_error "$flag needs a value. See $(basename -- "$0") --help."
    fi
}

# parse_flags "$@": take_flag, which the script defines, is called for every flag; what stands behind -- goes to the array extra.
parse_flags() {
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
    usage_error "$1 is not a flag of this command. See $(basename -- "$0") --help."
}

# require_whole NAME VALUE: a whole number from 0.
require_whole() {
    case $2 in
        '' | *[!0-9]*) usage_error "$1 is '$2', expected a whole number from 0." ;;
    esac
}

# require_rate NAME VALUE: frames per second, like 16 or 29.97.
require_rate() {
    [[ $2 =~ ^[0-9]+(\.[0-9]+)?$ && $2 =~ [1-9] ]] || usage_error "$1 is '$2', expected frames per second, like 16 or 29.97."
}

# project_python: the interpreter for this toolkit's own commands.
project_python() {
    if [ -n "${PYTHON:-}" ]; then
        printf '%s\n' "$PYTHON"
    elif [ -x "$repo/.venv/bin/python" ]; then
        printf '%s\n' "$repo/.venv/bin/python"
    else
        printf 'python3\n'
    fi
}

# require_program VARIABLE NAME: NAME can be run; VARIABLE is what names another one.
require_program() {
    command -v -- "$2" >/dev/null 2>&1 || usage_error "$2: not found. Activate its environment, or set $1 to the one to use."
}

# runner NAME: an interpreter or program, by a path from the root folder where a path is given: it is run in another folder.
runner() {
    case $1 in
        */*) absolute "$1" ;;
        *) printf '%s\n' "$1" ;;
    esac
}

# absolute PATH: the path from the root folder; nothing needs to be there.
absolute() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "$PWD/${1#./}" ;;
    esac
}

# lock_folder FOLDER: wait until nobody else works in a folder, and keep others waiting until this script and all that it started have ended: what a
# killed run left running counts, too. In $lock, which can be closed. Where the system has no locks (flock), nobody waits.
lock_folder() {
    lock=''
    command -v flock >/dev/null 2>&1 || return 0
    { exec {lock}<"$1"; } 2>/dev/null || return 1
    ! flock --nonblock "$lock" 2>/dev/null || return 0
    warn "$1: another run works in it, or one that was killed has left a program running; waiting for its end."
    flock "$lock" 2>/dev/null || :
}

# lock_new_folder FOLDER: the same for a folder that is removed at the end; it is made, and it is empty.
lock_new_folder() {
    while :; do
        mkdir -p -- "$1" || return 1
        lock_folder "$1" || continue
        if [ -z "$lock" ] || [ "$1" -ef "/dev/fd/$lock" ]; then
            break
        fi
        # Removed by the one that was waited for.
        exec {lock}<&-
    done
    find "$1" -mindepth 1 -delete
}

# quote WORD...: words as a shell would need them, in single quotes only where needed.
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

# show_command FOLDER WORD...: one line that does in a shell what the wrapper would do.
show_command() {
    printf 'cd %s && %s\n' "$(quote "$1")" "$(shift && quote "$@")"
}

# run_in FOLDER WORD...: run a command there; stdin is closed, so that nothing eats the list of entries.
run_in() {
    (cd -- "$1" && shift && exec "$@") </dev/null
}
