#!/bin/sh
# The house rules hold in this checkout, and every error code is documented.
set -eu
cd "$(dirname "$0")/../.."
failed=0
./tools/tidy || failed=1
./tools/errors-page --check || failed=1
for script in x tools/install-packages tools/purity; do sh -n "$script" || failed=1; done
bash -n .ci/run || failed=1
exit $failed
