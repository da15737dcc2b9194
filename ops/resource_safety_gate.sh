#!/usr/bin/env bash
# The safety gate for shell scripts: the same checks and the same lock as the panel's.
#
#   source ops/resource_safety_gate.sh
#   acquire_whisper_lock large-v3 || exit 1      # 0: taken; 1: the gate says no, and why
#   whisper recording.mp3 --model large-v3
#   release_whisper_lock
#
# Run instead of sourced, it checks and exits 0 (a heavy process may start) or 1. The lock is a kernel lock on a
# descriptor of your shell, which everything that it starts inherits: it ends with the last of them, also after
# kill -9. Nothing here sets a trap, an option or a variable of yours: all names begin with _j5a_ or are listed in
# docs/gate.md.

if [ -z "${BASH_VERSION:-}" ]; then
    echo "resource_safety_gate.sh needs bash 4.1 or newer: run the script with bash." >&2
    # shellcheck disable=SC2317 # exit only where return is not possible
    return 1 2>/dev/null || exit 1
fi

# Found now, because the script may change its directory before it asks.
_j5a_root=$(CDPATH='' builtin cd -P -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." >/dev/null && builtin pwd -P)

_j5a_gate() {
    local _j5a_python=${J5A_PYTHON:-$_j5a_root/.venv/bin/python}
    if [[ ! -x $_j5a_python ]]; then
        printf 'The gate is not installed: %s is missing. Run `make setup` in %s once.\n' "$_j5a_python" "$_j5a_root" >&2
        return 2
    fi
    "$_j5a_python" "$_j5a_root/manage.py" gate "$@"
}

_j5a_lock_path() {
    local _j5a_dir=${J5A_LOCK_DIR:-/tmp/j5a_locks}
    if [[ $_j5a_dir == "~/"* ]]; then # as the gate itself reads it
        _j5a_dir=$HOME/${_j5a_dir:2}
    fi
    printf '%s/whisper_large.lock' "$_j5a_dir"
}

# All five checks for a model (default large-v3), printed. 0: it may start; 1: not; 2: the question could not be asked.
run_all_safety_checks() {
    _j5a_gate check --model "${1:-large-v3}"
}

# How many heavy processes may run side by side on this machine.
calculate_safe_parallel_count() {
    printf '1\n'
}

# Wait until the gate opens, at most so many seconds (default 300); says why whenever the reason changes.
wait_for_safe_conditions() {
    _j5a_gate wait --timeout "${1:-300}" --model "${2:-large-v3}"
}

# Take the machine's one lock for this shell and ask the gate; on a no the lock is given back at once. Called again
# while it is held, the gate is asked again.
acquire_whisper_lock() {
    local _j5a_model=${1:-large-v3} _j5a_path _j5a_try _j5a_code=0
    if [[ -n ${_j5a_lock_fd:-} && ${_j5a_lock_pid:-} == "$BASHPID" ]]; then
        _j5a_gate lock recheck --fd "$_j5a_lock_fd" --pid "$BASHPID" --model "$_j5a_model" >&2 || return 1
        printf 'Whisper lock is held already (PID %s).\n' "$BASHPID"
        return 0
    fi
    if [[ $BASHPID != "$$" ]]; then
        printf 'In a subshell or a pipe: the lock will end with it (PID %s), not with the script.\n' "$BASHPID" >&2
    fi
    _j5a_path=$(_j5a_lock_path)
    for _j5a_try in 1 2 3 4 5; do
        if [[ ! -f $_j5a_path || -L $_j5a_path ]]; then
            _j5a_gate lock publish >&2 || return 1
        fi
        # Looked at first: in posix mode a redirection that fails ends the script.
        if [[ ! -w $_j5a_path ]] || ! { exec {_j5a_lock_fd}<>"$_j5a_path"; } 2>/dev/null; then
            printf '%s cannot be opened for writing. Mend that, or set J5A_LOCK_DIR to a folder of your own.\n' "$_j5a_path" >&2
            unset _j5a_lock_fd
            return 1
        fi
        _j5a_code=0
        _j5a_gate lock acquire --fd "$_j5a_lock_fd" --pid "$BASHPID" --script="$0" --model "$_j5a_model" >&2 || _j5a_code=$?
        if [[ $_j5a_code == 0 ]]; then
            _j5a_lock_pid=$BASHPID
            printf 'Whisper lock acquired (PID %s).\n' "$BASHPID"
            return 0
        fi
        exec {_j5a_lock_fd}>&-
        unset _j5a_lock_fd
        [[ $_j5a_code == 3 ]] || return 1 # 3: the file was replaced in between
    done
    printf '%s is replaced again and again: an old script removes it. Nothing was started.\n' "$_j5a_path" >&2
    return 1
}

# Give it back. A process that you started and that still runs keeps it, and is named.
release_whisper_lock() {
    local _j5a_code=0
    if [[ -z ${_j5a_lock_fd:-} || ${_j5a_lock_pid:-} != "$BASHPID" ]]; then
        printf 'This shell (PID %s) does not hold the Whisper lock.\n' "$BASHPID" >&2
        return 1
    fi
    _j5a_gate lock release --fd "$_j5a_lock_fd" --pid "$BASHPID" >&2 || _j5a_code=$?
    exec {_j5a_lock_fd}>&-
    unset _j5a_lock_fd _j5a_lock_pid
    case $_j5a_code in
        0) printf 'Whisper lock released (PID %s).\n' "$BASHPID" ;;
        4) ;; # kept by a child, which was said
        *) return 1 ;;
    esac
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    if run_all_safety_checks "$@"; then
        printf 'The machine is safe for a heavy process.\n'
    else
        printf 'The machine is NOT safe for a heavy process.\n'
        exit 1
    fi
fi
