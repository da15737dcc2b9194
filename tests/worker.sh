#!/bin/bash
# The Python of one of several test workers. Each has a PID namespace of its own: an engine of one worker's test must
# not be "another Whisper" to the tests of the others. Bash stays as the first process there, to bury the orphans.
exec unshare --pid --fork --mount-proc --kill-child -- bash -c '.venv/bin/python "$@"; exit $?' bash "$@"
