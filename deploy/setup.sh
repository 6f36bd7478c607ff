#!/usr/bin/env bash
# Install what is missing, and nothing else: PostgreSQL with PostGIS and mosquitto from the
# distribution (which starts none of them), the Python environment from the hashed lock, then the
# pages. Quick when all is there. Needs root or sudo only while a package is missing.
# Arguments: further programs, by names that are their packages' too, such as `wrk`; `chromium` and
# `fonts-noto-cjk` for tests in a browser.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

LOCK=requirements-dev.txt
POLICY=/usr/sbin/policy-rc.d
CLUSTERS=/etc/postgresql-common/createcluster.d
STAMP=.venv/onelot-lock.sha256

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
# An ordinary user's PATH may lack the places where the servers are.
# Fonts are no programs.
has() {
    if [ "$1" = fonts-noto-cjk ]; then
        compgen -G '/usr/share/fonts/opentype/noto/NotoSansCJK*' >/dev/null
    else
        PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$1" >/dev/null 2>&1
    fi
}

# A version manager's shim may be on the PATH without a uv behind it.
works_uv() { uv --version >/dev/null 2>&1; }

# --- The distribution's packages ---

# The newest PostgreSQL version that is installed; with "postgis", that has PostGIS too.
installed_postgresql() {
    local bin version
    for bin in /usr/lib/postgresql/*/bin/postgres; do
        [ -x "$bin" ] || continue
        version="${bin#/usr/lib/postgresql/}"
        version="${version%%/*}"
        if [ "${1:-}" != postgis ] \
            || [ -e "/usr/share/postgresql/$version/extension/postgis.control" ]; then
            echo "$version"
        fi
    done | sort -n | tail -n 1
}

# The distribution's own version: the one that its package `postgresql` stands for.
offered_postgresql() {
    apt-cache depends postgresql 2>/dev/null \
        | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1
}

# What is missing, one word each; `postgis` stands for PostgreSQL with PostGIS. Arguments: further
# programs.
missing() {
    local name
    for name in "$@"; do has "$name" || echo "$name"; done
    [ -n "$(installed_postgresql postgis)" ] || echo postgis
    has mosquitto || echo mosquitto
    has mosquitto_rr || echo mosquitto-clients
    has make || echo make
    # What the README asks with, and a test runs.
    has curl || echo curl
    [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
    if ! works_uv && [ ! -x .tools/uv/bin/uv ]; then
        python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || echo python3-venv
    fi
}

postgis_package() {
    local version
    version="$(installed_postgresql)"
    [ -n "$version" ] || version="$(offered_postgresql)"
    [ -n "$version" ] || die "apt offers no PostgreSQL: is this Debian or Ubuntu?"
    echo "postgresql-$version-postgis-3"
}

# Ubuntu has Chromium as a snap alone: a package of that name is missing, or only fetches the snap.
refuse_snap() {
    local candidate
    candidate="$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p')"
    case "$candidate" in
        '' | '(none)' | *snap*)
            die "this distribution has no package of $1, or one that only fetches a snap. Have a" \
                "program of that name on the PATH, and run this again: \`snap install $1\`, or a" \
                "link /usr/local/bin/$1 to another build, such as Google Chrome's"
            ;;
    esac
}

# As root: for as long as this script runs, installing a server starts none and makes no cluster.
forbid_starts() {
    SAVED=''
    if [ -e "$POLICY" ]; then
        SAVED="$(mktemp "$POLICY.XXXXXX")"
        cp -p "$POLICY" "$SAVED"
    fi
    trap allow_starts EXIT
    printf '#!/bin/sh\n# For a moment: installing a server starts none.\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
    mkdir -p "$CLUSTERS"
    echo 'create_main_cluster = false' >"$CLUSTERS/onelot.conf"
}

allow_starts() {
    rm -f "$POLICY" "$CLUSTERS/onelot.conf"
    if [ -n "$SAVED" ]; then mv "$SAVED" "$POLICY"; fi
    rmdir --ignore-fail-on-non-empty "$CLUSTERS"
}

# As root. Arguments: as `missing` prints them.
install_packages() {
    local packages=() name
    say "apt-get update"
    apt-get update -qq
    for name in "$@"; do
        if [ "$name" = postgis ]; then name="$(postgis_package)"; fi
        if [ "$name" = chromium ]; then refuse_snap "$name"; fi
        packages+=("$name")
    done
    forbid_starts
    say "apt-get install ${packages[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${packages[@]}" </dev/null >/dev/null
    # A server that came by this way shall not start with the machine either.
    for name in mosquitto redis-server nginx; do
        if [[ " ${packages[*]} " == *" $name "* ]] && has systemctl; then
            systemctl disable --quiet "$name.service" 2>/dev/null || true
        fi
    done
}

# Arguments: further programs.
ensure_packages() {
    local names
    mapfile -t names < <(missing "$@")
    [ "${#names[@]}" -gt 0 ] || return 0
    has apt-get || die "missing: ${names[*]} - and there is no apt-get here to install them with"
    if [ "$(id -u)" -eq 0 ]; then
        bash deploy/setup.sh --packages "${names[@]}"
    elif has sudo; then
        say "sudo, to install: ${names[*]}"
        sudo bash deploy/setup.sh --packages "${names[@]}"
    else
        die "missing: ${names[*]} (postgis: PostgreSQL with PostGIS); run this as root or with sudo"
    fi
    mapfile -t names < <(missing "$@")
    [ "${#names[@]}" -eq 0 ] || die "still missing after the installation: ${names[*]}"
}

# --- The Python environment ---

ensure_uv() {
    if works_uv; then
        UV="$(command -v uv)"
        return
    fi
    UV="$PWD/.tools/uv/bin/uv"
    [ ! -x "$UV" ] || return 0
    say "uv, into .tools/uv"
    python3 -m venv .tools/uv
    .tools/uv/bin/python -m pip install -q --disable-pip-version-check --require-hashes \
        -r deploy/uv-requirements.txt
}

ensure_environment() {
    local wanted
    wanted="$(sha256sum <"$LOCK")"
    if [ -x .venv/bin/python ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$wanted" ]; then return; fi
    ensure_uv
    if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        say "a Python environment in .venv"
        rm -rf .venv
        "$UV" venv -q --python '>=3.11' .venv
    fi
    say "the Python packages of $LOCK"
    "$UV" pip sync -q --python .venv/bin/python --require-hashes "$LOCK"
    printf '%s\n' "$wanted" >"$STAMP"
}

if [ "${1:-}" = --packages ]; then
    shift
    install_packages "$@"
else
    ensure_packages "$@"
    ensure_environment
    bash deploy/pages.sh
fi
