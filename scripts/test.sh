#!/usr/bin/env bash
# The whole test suite from a fresh clone: environment, linters, tests, coverage.
set -uo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/test.sh [--all] [--no-lint] [pytest arguments...]

  --all      also the tests marked slow
  --no-lint  tests only, to iterate faster
  --help     this text

Every stage runs even when an earlier one failed; the exit status is 0 only when
all passed. With pytest arguments the coverage gate is left out, since a part of
the suite cannot meet it. FRACTAL_VENV=DIR uses that environment as it is.
TEXT
}

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Programs from the system that tests or linters run: program:debian-package.
SYSTEM_PROGRAMS=(shellcheck:shellcheck pg_ctlcluster:postgresql faketime:faketime)

marks="not slow"
lint=yes
pytest_args=()
while [ $# -gt 0 ]; do
    case "$1" in
        --all) marks="" ;;
        --no-lint) lint=no ;;
        -h | --help) usage; exit 0 ;;
        *) pytest_args+=("$1") ;;
    esac
    shift
done

# install_system_programs: as root on Debian; otherwise says what is missing.
install_system_programs() {
    local entry missing=()
    for entry in "${SYSTEM_PROGRAMS[@]}"; do
        command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "installing Debian packages: ${missing[*]}"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq </dev/null &&
            apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null &&
            return
        echo "warning: apt-get could not install ${missing[*]}: what needs them is skipped" >&2
    else
        echo "warning: missing ${missing[*]}: what needs them is skipped;" \
            "remedy: apt install ${missing[*]}" >&2
    fi
}

summary=()
failed=0

# stage NAME COMMAND...: runs it and notes how it went.
stage() {
    local name="$1" status started=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@"
    status=$?
    if [ $status -eq 0 ]; then
        summary+=("passed   $name ($((SECONDS - started)) s)")
    else
        summary+=("FAILED   $name (exit status $status, $((SECONDS - started)) s)")
        failed=1
    fi
}

bootstrap dev
install_system_programs
bin="$VENV/bin"

if [ "$lint" = yes ]; then
    stage "ruff check" "$bin/ruff" check .
    stage "ruff format" "$bin/ruff" format --check .
    stage "mypy" "$bin/mypy"
    stage "import-linter" "$bin/lint-imports"
    if command -v shellcheck >/dev/null; then
        stage "shellcheck" shellcheck --external-sources scripts/*.sh .ci/run
    else
        summary+=("SKIPPED  shellcheck (not installed)")
    fi
fi

# ${a[@]+…}: an empty array under `set -u` is an error in bash before 4.4.
stage "pytest" "$bin/python" -m pytest -n 2 --dist loadgroup -m "$marks" \
    --durations=25 --durations-min=5 --cov --cov-report= ${pytest_args[@]+"${pytest_args[@]}"}

if [ ${#pytest_args[@]} -eq 0 ]; then
    stage "coverage" "$bin/coverage" report
    stage "coverage of the strategies, at least 95 %" \
        "$bin/coverage" report --include='fractal_strategies/*' --fail-under=95
    stage "coverage of the protections, at least 95 %" \
        "$bin/coverage" report --include='fractal_protections/*' --fail-under=95
fi

printf '\n== summary\n'
printf '%s\n' "${summary[@]}"
exit $failed
