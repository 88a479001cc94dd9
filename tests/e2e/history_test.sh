#!/bin/sh
# Kafka producers and consumers, members that come and go, and a server killed three times: nothing acknowledged is lost,
# doubled, reordered or skipped, no committed offset goes back. `./x conformance history` does it for longer.
set -eu
build=${CONTINUO_BUILD:-$(dirname "$0")/../../build}
if [ ! -x "$build/kafka_history" ]; then
  echo "skipped: kafka_history is not built"
  exit 77
fi
exec "$build/kafka_history" --server "$build/continuo" --seconds 10 --kills 3 --pauses 1 --consumers 2 \
  --seed "${CONTINUO_SEED:-$(date +%s)}"
