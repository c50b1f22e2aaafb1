# shellcheck shell=bash
# What run.sh and test.sh share: finding Python and making the environment.
# Sourced, never run. Needs bash 3.2 or later and no other program but Python.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

# Free space that an installation needs; the environment itself is about 1.3 GB.
NEEDED_MB="${FRACTAL_NEEDED_MB:-2000}"

# fail PROBLEM REMEDY: one line that names both; exit status 2.
fail() {
    printf 'error: %s: %s\n' "$1" "$2" >&2
    exit 2
}

# is_new_enough PYTHON: true when it runs and is 3.11 or later.
is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# find_python: sets PYTHON_FOUND to the interpreter that makes the environment.
find_python() {
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" ||
            fail "\$PYTHON is $PYTHON, which is not a Python 3.11 or later" \
                "unset PYTHON or point it at one"
        PYTHON_FOUND="$PYTHON"
        return
    fi
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        if is_new_enough "$candidate"; then
            PYTHON_FOUND="$candidate"
            return
        fi
    done
    fail "no Python 3.11 or later on PATH" \
        "install one (Debian, Ubuntu: apt install python3 python3-venv) or set PYTHON=/path/to/python3"
}

# check_disk PYTHON: the environment and pip's unpacking need NEEDED_MB.
check_disk() {
    local free_mb
    free_mb="$("$1" -c 'import shutil, sys; print(shutil.disk_usage(sys.argv[1]).free >> 20)' "$ROOT")"
    [ "$free_mb" -ge "$NEEDED_MB" ] ||
        fail "$ROOT has $free_mb MB of free disk, the installation needs $NEEDED_MB MB" \
            "free some space and start again"
}

# make_environment: creates $VENV, or repairs a half-made one.
make_environment() {
    if is_new_enough "$VENV/bin/python" && "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    find_python
    if ! "$PYTHON_FOUND" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        fail "$PYTHON_FOUND has no venv module" \
            "install it (Debian, Ubuntu: apt install python3-venv) and start again"
    fi
    if [ -d "$VENV" ] && [ ! -e "$VENV/pyvenv.cfg" ] && [ -n "$(ls -A "$VENV")" ]; then
        fail "$VENV exists and is not a Python environment" "move it away and start again"
    fi
    check_disk "$PYTHON_FOUND"
    echo "creating ${VENV#"$ROOT"/} with $("$PYTHON_FOUND" --version)"
    "$PYTHON_FOUND" -m venv --clear "$VENV" ||
        fail "could not create $VENV" "see the message above; free disk space or fix permissions there"
}

# wanted_stamp EXTRA: identifies what an install of EXTRA puts into $VENV.
wanted_stamp() {
    "$VENV/bin/python" - "$ROOT" "$1" <<'PYTHON'
import hashlib
import pathlib
import sys

root, extra = pathlib.Path(sys.argv[1]), sys.argv[2]
digest = hashlib.sha256(f"{root}\n{extra}\n".encode())
for name in ("pyproject.toml", "constraints.txt"):
    digest.update((root / name).read_bytes())
print(digest.hexdigest())
PYTHON
}

# is_installed EXTRA: true when a finished install of exactly these pins is there.
is_installed() {
    local stamp="$VENV/.fractal-installed-$1"
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted_stamp "$1")" ]
}

# bootstrap EXTRA: after it, $VENV holds the project; EXTRA is "run" or "dev".
# FRACTAL_VENV names an environment to use as it is: nothing is installed there.
bootstrap() {
    local extra="$1" target="$ROOT"
    cd "$ROOT" || fail "cannot enter $ROOT" "check its permissions"
    if [ -n "${FRACTAL_VENV:-}" ]; then
        VENV="$FRACTAL_VENV"
        [ -x "$VENV/bin/fractal" ] ||
            fail "FRACTAL_VENV is $VENV, which has no bin/fractal" \
                "unset FRACTAL_VENV to let this script make .venv"
        return
    fi
    VENV="$ROOT/.venv"
    make_environment
    # A development install holds everything that running needs.
    if is_installed dev || is_installed "$extra"; then
        return
    fi
    [ "$extra" = dev ] && target="${ROOT}[dev]"
    check_disk "$VENV/bin/python"
    # No stamp while pip works: an interrupted install never looks finished.
    rm -f "$VENV/.fractal-installed-run" "$VENV/.fractal-installed-dev"
    echo "installing the project with pinned versions (some minutes, the first time only)"
    # Without PYTHONWARNINGS setuptools warns at length about editable installs as such.
    PYTHONWARNINGS=ignore "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint "$ROOT/constraints.txt" --editable "$target" ||
        fail "pip could not install the project" \
            "see pip's message above; check the network and the disk, then start again"
    if ! wanted_stamp "$extra" >"$VENV/.fractal-stamp.part" ||
        ! mv "$VENV/.fractal-stamp.part" "$VENV/.fractal-installed-$extra"; then
        fail "could not write into $VENV" "free disk space or fix permissions there"
    fi
}
