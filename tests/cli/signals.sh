#!/bin/bash
# Ctrl-C and SIGTERM: complete output, exit codes 130 and 143.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "signals" "needs python3"; exit 0; }
make_ppm "$work/a.ppm" 1
for i in $(seq 20000); do echo "$work/a.ppm"; done >"$work/list"
cat >"$work/stop.py" <<'PY'
# stop.py SIGNAL OUTPUT COMMAND…: sends the signal when the output has grown to 8 KiB; prints the exit code
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # not inherited as ignored
number, output = getattr(signal, sys.argv[1]), sys.argv[2]
process = subprocess.Popen(sys.argv[3:], stdout=open(output, "w"), stderr=subprocess.DEVNULL)
while process.poll() is None and os.stat(output).st_size < 8192:
    time.sleep(0.01)
process.send_signal(number)
start = time.time()
print(process.wait(20))
sys.exit(time.time() - start > 5)
PY
for pair in SIGINT:130 SIGTERM:143; do
    name=${pair%:*} wanted=${pair#*:}
    code=$(python3 "$work/stop.py" $name "$work/$name.json" "$QBOOST" score --format json --files-from "$work/list")
    check_same "$name: exit code" "$code" "$wanted"
    check "$name: the array is closed" python3 -c 'import json, sys; n = len(json.load(open(sys.argv[1]))); sys.exit(not 0 < n < 20000)' "$work/$name.json"
    code=$(python3 "$work/stop.py" $name "$work/$name.jsonl" "$QBOOST" score --json --files-from "$work/list")
    check_same "$name: exit code of --json" "$code" "$wanted"
    check "$name: only whole lines" python3 -c 'import json, sys; [json.loads(l) for l in open(sys.argv[1])]' "$work/$name.jsonl"
done
# a list that never ends does not keep the program
mkfifo "$work/fifo"
sleep 30 >"$work/fifo" &
sleeper=$!
code=$(python3 - "$QBOOST" "$work" <<'PY'
import signal, subprocess, sys, time
p = subprocess.Popen([sys.argv[1], "score", "--json", "--files-from", sys.argv[2] + "/fifo"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
time.sleep(1.5)
p.send_signal(signal.SIGTERM)
try:
    print(p.wait(5))
except subprocess.TimeoutExpired:
    p.kill()
    print("hangs")
PY
)
kill $sleeper 2>/dev/null
check_same "stopped while waiting for the list" "$code" 143
check_code "a closed pipe ends it quietly" 0 bash -c '"$1" score --json -q --files-from "$2" | head -n 2 | wc -l | grep -q "^ *2$"' - "$QBOOST" "$work/list"
check_same "without a message" "$(n_lines "$work/err")" 0
finish
