#!/usr/bin/env bash
# Run the tests; everything they need is installed into .venv first. Arguments go to pytest.
# Usage: bash scripts/test.sh [PYTEST_ARGUMENTS]   (those of pytest itself: .venv/bin/python -m pytest --help)
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
# One thread a process: the tests run side by side, and results do not depend on the number of cores.
export OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
exec .venv/bin/python -m pytest -n auto --dist loadfile "$@"
