#!/bin/sh
# The arrows between the layers are those of docs/layers.txt.
set -eu
cd "$(dirname "$0")/../.."
exec ./tools/layers "${CONTINUO_BUILD:-build}"
