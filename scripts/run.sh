#!/usr/bin/env bash
# From a fresh machine to a running dry-run bot: see `scripts/run.sh --help`.
set -euo pipefail

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bootstrap run
# exec: signals and the exit status are quickstart's own.
exec "$VENV/bin/fractal" quickstart "$@"
