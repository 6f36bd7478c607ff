#!/bin/sh
# Start mosquitto (the argument: its program) in its directory, here and in compose.yaml.
# mosquitto ends or crashes on a store that was cut or garbled. So the store is tried first, and put
# aside under another name when it cannot be read; the newest three such are kept. What is lost with
# it comes again: gateways send what was not acknowledged, the ingester the retained states.
set -eu
mosquitto="$1"
store=mosquitto.db
trial=''

# A reload that comes too early must not end us; mosquitto sets its own handler.
trap '' HUP
trap '[ -z "$trial" ] || kill -KILL "$trial"; exit 1' TERM INT

# Whether mosquitto gets as far as to listen, on a socket file, with its store (true) or without
# (false): it reads the store before. It is killed then, so that it never writes.
listens() {
    rm -f trial.sock
    printf '%s\n' "persistence $1" 'persistence_location ./' 'autosave_interval 0' \
        'log_dest stderr' 'log_type error' 'log_type warning' 'listener 0 trial.sock' >trial.conf
    "$mosquitto" -c trial.conf &
    trial=$!
    steps=1200
    # A process that has ended and is not buried yet has no `exe`.
    while [ ! -S trial.sock ] && [ -e "/proc/$trial/exe" ] && [ "$steps" -gt 0 ]; do
        sleep 0.05
        steps=$((steps - 1))
    done
    found=1
    if [ -S trial.sock ] && [ -e "/proc/$trial/exe" ]; then found=0; fi
    kill -KILL "$trial" 2>/dev/null || true
    wait "$trial" 2>/dev/null || true
    trial=''
    rm -f trial.sock trial.conf
    return "$found"
}

# mosquitto takes a store that is empty, or that it may not open, for none, and says little.
unreadable() {
    [ -e "$store" ] || return 1
    if [ ! -s "$store" ] || [ ! -r "$store" ]; then return 0; fi
    if listens true; then return 1; fi
    # Unless it cannot start at all: then it is not the store's fault.
    listens false
}

if unreadable; then
    aside="$store.unreadable-$(date -u +%Y%m%dT%H%M%SZ)"
    mv -f "$store" "$aside"
    echo "Error: the broker's store cannot be read: put aside as $aside, started without" >&2
    for old in $(printf '%s\n' "$store".unreadable-* | sort -r | tail -n +4); do rm -f "$old"; done
fi
# For whoever has it read its users again; `exec` keeps the number.
echo "$$" >broker.pid
exec "$mosquitto" -c mosquitto.conf
