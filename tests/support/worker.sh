#!/bin/bash
# The Python of one of several test workers. Each has a PID namespace of its own: an engine of one worker's test must
# not be "another Whisper" to the tests of the others. Bash stays as the first process there, to bury the orphans.
# `worker.sh --possible` says by its exit status whether this user may have such namespaces here.
words=(--pid --fork --mount-proc --kill-child)
[ "$(id -u)" = 0 ] || words+=(--user --map-current-user)
if [ "$1" = --possible ]; then
    exec unshare "${words[@]}" true 2> /dev/null
fi
exec unshare "${words[@]}" -- bash -c '.venv/bin/python "$@"; exit $?' bash "$@"
