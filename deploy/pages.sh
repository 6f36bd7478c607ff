#!/usr/bin/env bash
# Build the pages: npm's packages from their lock into parking_api/web/node_modules, and the pages
# into parking_api/web/dist. Node and npm come with the Python environment. Quick when neither the
# lock nor a source has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/.venv/bin:$PATH"
cd parking_api/web
# Several may find at once that something is missing.
exec 9<.
flock 9

PACKAGES=node_modules/.onelot-lock.sha256
PAGES=dist/.sources.sha256

# What is made of the API's description is for the types alone, and bundled nowhere.
sources() {
    find src -path src/generated -prune -o -type f -print0 | LC_ALL=C sort -z \
        | xargs -0 sha256sum package-lock.json build.mjs | sha256sum
}

wanted="$(sha256sum package.json package-lock.json .npmrc)"
if [ "$(cat "$PACKAGES" 2>/dev/null)" != "$wanted" ]; then
    echo "setup: npm's packages of parking_api/web/package-lock.json"
    npm ci --loglevel=error >/dev/null
    printf '%s\n' "$wanted" >"$PACKAGES"
fi
wanted="$(sources)"
if [ "$(cat "$PAGES" 2>/dev/null)" != "$wanted" ]; then
    echo "setup: the pages, into parking_api/web/dist"
    node build.mjs
    printf '%s\n' "$wanted" >"$PAGES"
fi
