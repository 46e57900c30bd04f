#!/usr/bin/env bash
# Install the packages that the tests need into .venv, then run the tests. Arguments go to pytest.
# Usage: bash scripts/test.sh [PYTEST_ARGUMENTS]   (-m quick: only the quick tests; TEST_FILE: only this file)
set -euo pipefail

case "${1:-}" in
  -h | --help)
    sed -n '2,3p' "${BASH_SOURCE[0]}" | cut -c3-
    exit 0
    ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bash "$root/scripts/setup_environment.sh" --with-tests
cd "$root"
# The tests run in parallel, one thread each, so results do not depend on the number of cores. There is one worker more
# than cores, because many tests wait (for a server, a browser, a process that was killed).
# Files begin in the order of tests/support/marks.py: the longest first.
workers=$(($(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN) + 1))
export OMP_NUM_THREADS=1
exec .venv/bin/python -m pytest -n "$workers" --dist loadfile --no-loadscope-reorder "$@"
