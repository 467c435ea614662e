#!/bin/bash
# Colour and progress: on a terminal only.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
command -v python3 >/dev/null || { skip "terminal" "needs python3"; exit 0; }
mkdir "$work/p"
for i in $(seq -w 40); do make_ppm "$work/p/$i.ppm" $i; done
cat >"$work/on_pty.py" <<'PY'
# on_pty.py STREAMS COMMAND…: runs the command with the named streams (o, e) on a terminal, prints what came there
import fcntl, os, pty, struct, subprocess, sys, termios
master, slave = pty.openpty()
if "PTY_COLUMNS" in os.environ:
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, int(os.environ["PTY_COLUMNS"]), 0, 0))
streams = sys.argv[1]
env = dict(os.environ)
env.setdefault("TERM", "xterm")
p = subprocess.Popen(sys.argv[2:], env=env, stdin=subprocess.DEVNULL,
                     stdout=slave if "o" in streams else subprocess.DEVNULL,
                     stderr=slave if "e" in streams else subprocess.DEVNULL)
os.close(slave)
data = b""
while True:
    try:
        chunk = os.read(master, 65536)
    except OSError:
        break
    if not chunk:
        break
    data += chunk
p.wait()
sys.stdout.buffer.write(data)
PY
cat >"$work/widest.py" <<'PY'
# widest.py FILE: columns of the widest line that stands on the terminal, colours taken out, wide characters two
import re, sys, unicodedata
text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", open(sys.argv[1], encoding="utf-8", newline="").read())
print(max(sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line) for line in re.split(r"[\r\n]+", text)))
PY
on_terminal() { python3 "$work/on_pty.py" "$@" >"$work/tty"; }
escape=$(printf '\033')
export TERM=xterm

for i in $(seq 10); do ls "$work/p"/*.ppm; done >"$work/list"
on_terminal e "$QBOOST" score --files-from "$work/list"
check_has "progress on a terminal's stderr" "$work/tty" "/400"
check_has "with a rate" "$work/tty" "/s"
check "with a time to go" grep -qa 'ETA [0-9]*:[0-9][0-9]' "$work/tty"
check "erased at the end" bash -c 'tr "\r" "\n" <"$1" | grep -a "" | tail -n 2 | grep -qa "400 scored, 0 failed"' - "$work/tty"
on_terminal e "$QBOOST" score -q "$work/p"
check_same "-q: nothing" "$(wc -c <"$work/tty" | tr -d ' ')" 0
TERM=dumb on_terminal e "$QBOOST" score "$work/p"
check_has_not "TERM=dumb: no progress" "$work/tty" ETA
"$QBOOST" score "$work/p" >"$work/out" 2>"$work/err"
check_has_not "no progress in a file" "$work/err" ETA
check_same "one summary line" "$(n_lines "$work/err")" 1
check_has_not "no colour in a file" "$work/out" "$escape"

long="$work/the-first-of-a-long-name-äöü-写真の名前-and-its-end.ppm"
cp "$work/p/01.ppm" "$long"
"$QBOOST" score "$long" >"$work/out" 2>/dev/null
check_has "a name is whole in a file" "$work/out" "$long"
on_terminal o "$QBOOST" score "$long"
check_has "and on a terminal that does not say its width" "$work/tty" "$long"
for columns in 20 30 40 60 66 80 100 120; do
    for charset in C.UTF-8 C; do
        LC_ALL=$charset PTY_COLUMNS=$columns on_terminal o "$QBOOST" score "$long" "$work/p/01.ppm"
        widest=$(python3 "$work/widest.py" "$work/tty")
        check "$columns columns, $charset: rows fit ($widest)" [ "$widest" -le $columns ]
        check_has "$columns columns, $charset: the name's end is there" "$work/tty" "d.ppm"
    done
done
PTY_COLUMNS=40 on_terminal o "$QBOOST" score "$long"
check_has "what is left out is marked" "$work/tty" "…"
check_has_not "narrow: no columns for the tones" "$work/tty" "P("
PTY_COLUMNS=60 on_terminal o "$QBOOST" score "$long"
check_has_not "less narrow: no bar" "$work/tty" "·"
check_has "less narrow: the tones" "$work/tty" "P("
PTY_COLUMNS=300 on_terminal o "$QBOOST" score "$long"
check_has "wide: all" "$work/tty" "$long"
for columns in 10 20 40 72 100; do
    PTY_COLUMNS=$columns on_terminal e "$QBOOST" score --files-from "$work/list"
    tr '\r' '\n' <"$work/tty" | grep -a '[0-9]/' | grep -av scored | grep -av pictures >"$work/lines"
    widest=$(python3 "$work/widest.py" "$work/lines")
    check "$columns columns: the progress line fits ($widest)" [ "$widest" -lt $columns ]
done

on_terminal o "$QBOOST" score "$work/p/01.ppm"
check_has "colour on a terminal" "$work/tty" "$escape["
NO_COLOR=1 on_terminal o "$QBOOST" score "$work/p/01.ppm"
check_has_not "NO_COLOR" "$work/tty" "$escape"
NO_COLOR= on_terminal o "$QBOOST" score "$work/p/01.ppm"
check_has "an empty NO_COLOR does not count" "$work/tty" "$escape["
TERM=dumb on_terminal o "$QBOOST" score "$work/p/01.ppm"
check_has_not "TERM=dumb" "$work/tty" "$escape"
on_terminal o "$QBOOST" score --no-color "$work/p/01.ppm"
check_has_not "--no-color" "$work/tty" "$escape"
QBOOST_COLOR=never on_terminal o "$QBOOST" score "$work/p/01.ppm"
check_has_not "QBOOST_COLOR=never" "$work/tty" "$escape"
NO_COLOR=1 "$QBOOST" score --color always "$work/p/01.ppm" >"$work/out" 2>/dev/null
check_has "--color always wins over NO_COLOR" "$work/out" "$escape["
FORCE_COLOR=1 "$QBOOST" score "$work/p/01.ppm" >"$work/out" 2>/dev/null
check_has "FORCE_COLOR" "$work/out" "$escape["
FORCE_COLOR=1 "$QBOOST" score --json "$work/p/01.ppm" >"$work/out" 2>/dev/null
check_has_not "never in JSON" "$work/out" "$escape"
finish
