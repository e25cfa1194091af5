#!/usr/bin/env bash
# install.sh FOLDER: bcoin 1.0.2 (a Bitcoin node that others wrote) from npm into FOLDER, once. Its scripts aren't run: they
# would compile. Exit code 0: it is there; 77: npm can't reach its registry, or not the one whose
# certificate it knows; 1: anything else.
set -uo pipefail
folder=$1
here=$(cd "$(dirname "$0")" && pwd)
for program in node npm; do
  command -v "$program" >/dev/null || { echo "$program is missing: tools/setup test installs it"; exit 1; }
done
mkdir -p "$folder" && cd "$folder" || exit 1
cmp -s "$here/package.json" installed.json && exit 0
cp "$here/package.json" package.json
if npm install --fetch-retries=1 --fetch-retry-mintimeout=1000 --ignore-scripts --no-audit --no-fund --no-package-lock >install.log 2>&1; then
  cp package.json installed.json
  exit 0
fi
cat install.log
grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|E50[0-9]|_CERT|CERT_|UNABLE_TO_VERIFY' install.log && exit 77
exit 1
