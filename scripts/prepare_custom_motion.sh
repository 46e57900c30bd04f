#!/usr/bin/env bash
# Make gated reference motions: runs prepare_motions.py, which has all flags. The flags of earlier versions still work:
#
#   prepare_custom_motion.sh --prompt TEXT | --video V.mp4 [--prompt TEXT] | --archive A.json   --output-dir D   [FLAGS] [-- FLAGS]
#
# Unlike prepare_motions.py it refines the motions only with --refine.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/command.sh
. "$here/lib/command.sh"

flags=(--no-refine) inputs=()
while [ $# -gt 0 ]; do
    case ${1//_/-} in
        --video | --archive) [ $# -ge 2 ] || usage_error "$1 needs a value."; inputs+=("$2") && shift ;;
        --video=* | --archive=*) inputs+=("${1#*=}") ;;
        --refine) flags[0]=--refine ;;
        --) ;;
        *) flags+=("$1") ;;
    esac
    shift
done
exec "$(project_python)" "$here/prepare_motions.py" "${flags[@]}" ${inputs[@]+-- "${inputs[@]}"}
