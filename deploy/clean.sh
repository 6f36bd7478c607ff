#!/usr/bin/env bash
# Remove var/ (or the directory given), unless a demo runs from it: the demo holds var/lock.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

var="${1:-var}"
[ -d "$var" ] || exit 0
if [ -e "$var/lock" ] && ! flock --nonblock "$var/lock" true; then
    echo "A demo runs from $var/: stop it first (Ctrl-C there)." >&2
    exit 1
fi
pid="$(cat "$var/supervisord.pid" 2>/dev/null || true)"
if [ -n "$pid" ] && grep -qs supervisord "/proc/$pid/cmdline"; then
    echo "Servers of a killed demo are still stopping (process $pid): try again in ten seconds." >&2
    exit 1
fi
rm -rf -- "$var"
