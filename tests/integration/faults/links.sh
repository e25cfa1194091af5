#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A sync over a link that is slow and then cut: two nodes in network namespaces, between them a veth pair with a token
# bucket. In the middle the link goes down for some seconds. The node comes to the tip by itself and blames nobody.
#   links.sh BUILD_DIR      exit code 77: this machine has no namespaces for us, and why
set -euo pipefail
synod=$1/bin/synod
blocks=12000
rate=30mbit
cut_seconds=4
server_ns=synod-fs-$$
client_ns=synod-fc-$$
folder=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  ip netns del "$server_ns" 2>/dev/null || true
  ip netns del "$client_ns" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
for tool in ip tc; do
  command -v "$tool" >/dev/null || { echo "skipped: there is no '$tool' (package iproute2)"; exit 77; }
done
if ! why=$(ip netns add "$server_ns" 2>&1 && ip netns add "$client_ns" 2>&1); then
  echo "skipped: no network namespaces here: $why"
  exit 77
fi
ip -n "$server_ns" link add line type veth peer name line netns "$client_ns"
ip -n "$server_ns" addr add 10.78.0.1/24 dev line
ip -n "$client_ns" addr add 10.78.0.2/24 dev line
for ns in "$server_ns" "$client_ns"; do
  ip -n "$ns" link set lo up
  ip -n "$ns" link set line up
  if ! why=$(ip netns exec "$ns" tc qdisc add dev line root tbf rate $rate burst 64kb latency 100ms 2>&1); then
    echo "skipped: the kernel can't slow a link down: $why"
    exit 77
  fi
done

"$synod" chain forge --blocks $blocks --txs 4 --out "$folder/forge" --json >"$folder/forge.json"
head=$(sed -n 's/.*"head_hash":"\([0-9a-f]*\)".*/\1/p' "$folder/forge.json")
mkdir -p "$folder/server/data" "$folder/client"
cp "$folder"/forge/chain/synod.db* "$folder/server/data/"
identity=$("$synod" keygen "$folder/server/node.key")
"$synod" keygen "$folder/client/node.key" >/dev/null
manifest() { # name, listen, peers
  printf 'node: {name: %s, data_dir: data, genesis: %s/forge/genesis.yaml, identity_key: node.key}\n' "$1" "$folder"
  printf 'network: {listen: "%s", peers: %s}\nperformance: {validation_workers: 1}\n' "$2" "$3"
}
manifest server 10.78.0.1:7700 '[]' >"$folder/server/node.yaml"
manifest client 127.0.0.1:7701 "[{address: \"10.78.0.1:7700\", identity: \"$identity\"}]" >"$folder/client/node.yaml"
run() { # namespace, name
  ip netns exec "$1" "$synod" run "$folder/$2/node.yaml" --json >"$folder/$2/out" 2>&1 &
  pids+=($!)
}
ask() { ip netns exec "$client_ns" "$synod" "$1" "$folder/client/node.yaml" --json 2>/dev/null || true; }
height() { ask status | sed -n 's/.*"current_height":\([0-9]*\).*/\1/p'; }
wait_for() { # height; 100 s at most
  for _ in $(seq 1000); do
    local now
    now=$(height)
    if [ -n "$now" ] && [ "$now" -ge "$1" ]; then
      return 0
    fi
    sleep 0.1
  done
  echo "the node did not reach height $1:"
  tail -20 "$folder/client/data/synod.log"
  exit 1
}
run "$server_ns" server
run "$client_ns" client
wait_for $((blocks / 5))
ip -n "$client_ns" link set line down
sleep $cut_seconds
before=$(height)
ip -n "$client_ns" link set line up
[ "$before" -lt $blocks ] || { echo "the link was cut too late: height $before"; exit 1; }
wait_for $blocks
ask status | grep -q "$head" || { echo "another head than $head"; exit 1; }
ask peers | grep -q '"misbehaviour":0[,.eE]' || { echo "a peer is blamed: $(ask peers)"; exit 1; }
echo "cut at height $before of $blocks for $cut_seconds s, at the tip nevertheless"
