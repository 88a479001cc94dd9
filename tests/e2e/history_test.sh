#!/bin/bash
# Kafka producers and consumers, members that come and go, and a server killed three times: nothing acknowledged is
# lost, doubled, reordered or skipped, no committed offset goes back. Then the same with a server that forgets, at each
# later start, what came since it was killed first: that has to be found. `./x conformance history` does it for longer.
set -euo pipefail
build=${CONTINUO_BUILD:-$(dirname "$0")/../../build}
if [[ ! -x $build/kafka_history ]]; then
  echo "skipped: kafka_history is not built"
  exit 77
fi
folder=$(mktemp -d)
# What was found is looked into from the history and the server's data: they stay when there is something.
trap 'if (($? == 0)); then rm -rf "$folder"; else echo "kept: $folder"; fi' EXIT
export TMPDIR=$folder SERVER=$build/continuo

length=(--seconds 10 --kills 3 --pauses 1 --consumers 2)
[[ -z ${CONTINUO_LONG:-} ]] || length=(--seconds 300 --kills 40 --pauses 12 --partitions 32)
"$build/kafka_history" --server "$build/continuo" "${length[@]}" --seed "${CONTINUO_SEED:-$(date +%s)}"

cat >"$folder/forgetful" <<'END'
#!/bin/bash
data=$3 # serve --data FOLDER
if [[ -d $data.before ]]; then
  rm -rf "$data" && cp -r "$data.before" "$data"
elif [[ -d $data ]]; then
  cp -r "$data" "$data.before"
fi
exec "$SERVER" "$@"
END
chmod +x "$folder/forgetful"
if "$build/kafka_history" --server "$folder/forgetful" --seconds 8 --kills 3 --pauses 0 --producers 2 --consumers 1 \
  --let-start --patience 4 --seed 2 >"$folder/found"; then
  echo "a server that forgets was not found out"
  exit 1
fi
for anomaly in lost "(vanished|commit_back|start_back|poll_back)"; do
  if ! grep -qE "times $anomaly\$" "$folder/found"; then
    cat "$folder/found"
    echo "a server that forgets was found out, but nothing that was $anomaly"
    exit 1
  fi
done
echo "a server that forgets was found out: $(grep -c '^FOUND' "$folder/found") findings shown"
