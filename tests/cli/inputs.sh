#!/bin/bash
# Which pictures are scored: files, folders, lists, standard input, shards.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
paths() { "$QBOOST" score --format tsv "$@" 2>"$work/err" | tail -n +2 | cut -f 1; }
mkdir -p "$work/t/sub/deep" "$work/t/.hidden" "$work/t/b.d"
make_ppm "$work/t/b.ppm" 1
for name in a.PPM sub/c.ppm sub/deep/d.ppm .hidden/h.ppm .h.ppm b.d/z.ppm B.ppm; do cp "$work/t/b.ppm" "$work/t/$name"; done
echo text >"$work/t/notes.txt"
ln -s .. "$work/t/sub/up"
ln -s . "$work/t/self.ppm"
ln -s b.ppm "$work/t/link.ppm"
ln -s nowhere "$work/t/sub/dangling.ppm"
mkfifo "$work/t/pipe.ppm"
cd "$work/t" || exit 1

wanted="./B.ppm
./a.PPM
./b.d/z.ppm
./b.ppm
./link.ppm
./sub/c.ppm
./sub/dangling.ppm
./sub/deep/d.ppm"
check_same "a folder: recursive, bytewise, links to folders and hidden names left out" "$(paths .)" "$wanted"
check_same "a trailing slash is not doubled" "$(paths sub/deep/)" "sub/deep/d.ppm"
check_same "--no-recursive" "$(paths --no-recursive .)" "./B.ppm
./a.PPM
./b.ppm
./link.ppm"
ln -s t/sub "$work/folder"
check_same "a link given by name is followed" "$(paths "$work/folder/deep")" "$work/folder/deep/d.ppm"
check_same "a file given by name needs no known ending" "$(cp b.ppm noending; paths noending; rm noending)" noending
check_same "the order of the arguments is kept" "$(paths sub/c.ppm b.ppm .hidden)" "sub/c.ppm
b.ppm
.hidden/h.ppm"

printf 'b.ppm\n\nsub\na.PPM' >"$work/list"
check_same "--files-from" "$(paths -f "$work/list" B.ppm)" "B.ppm
b.ppm
sub/c.ppm
sub/dangling.ppm
sub/deep/d.ppm
a.PPM"
check_same "--files-from -" "$(printf 'b.ppm\na.PPM\n' | paths -f -)" "b.ppm
a.PPM"
printf '\357\273\277b.ppm\r\n\r\na.PPM\r\n' >"$work/list"
check_same "a list with a byte order mark and CRLF" "$(paths -f "$work/list")" "b.ppm
a.PPM"
cp b.ppm "$(printf 'cr.ppm\r')" && cp b.ppm cr.ppm
check_same "a name that does end in CR" "$(printf 'cr.ppm\r\n' | paths -f -)" 'cr.ppm\r'
rm cr.ppm*
check_code "-0: nothing but the NUL ends a path" 1 bash -c 'printf "b.ppm\r\0" | "$1" score -q -0f -' - "$QBOOST"
check_same "an error names the file once" "$(cat "$work/err")" 'qboost: b.ppm\r: No such file or directory'
cp b.ppm 'new
line.ppm'
check_same "-0" "$(printf 'new\nline.ppm\0b.ppm\0' | paths -0 --files-from -)" 'new\nline.ppm
b.ppm'
rm 'new
line.ppm'
check_same "-0f- in one word" "$(printf 'b.ppm\0' | paths -0f-)" b.ppm
check_same "a list as long as a line is no problem" "$(printf 'b.ppm\n%s\nb.ppm\n' "$(head -c 100000 /dev/zero | tr '\0' x)" | paths -f - | awk '{ print length }' | tr '\n' ' ')" "5 100000 5 "

check_same "- is a picture on standard input" "$(paths - <b.ppm)" "-"
json_in=$("$QBOOST" score --json - <b.ppm) json_file=$("$QBOOST" score --json b.ppm)
score_of() { sed 's/.*"score":\([^,]*\),.*/\1/'; }
check_same "the same score from standard input" "$(echo "$json_in" | score_of)" "$(echo "$json_file" | score_of)"
check_code "an empty standard input" 1 "$QBOOST" score - </dev/null
check_code "standard input over the limit" 1 "$QBOOST" score --max-memory 100 - <b.ppm
check_code "a file named -, by ./-" 0 bash -c 'cp b.ppm ./-; "$1" score ./-; code=$?; rm ./-; exit $code' - "$QBOOST"
check_code "-- ends the options" 0 bash -c 'cp b.ppm ./-x.ppm; "$1" score -- -x.ppm; code=$?; rm ./-x.ppm; exit $code' - "$QBOOST"

if [ "$(id -u)" != 0 ]; then
    mkdir closed && chmod 0 closed
    check_code "a folder that cannot be read is an error, the rest goes on" 1 "$QBOOST" score --json closed b.ppm
    check_same "one error, one score" "$(grep -c '"error":' "$work/out")$(grep -c '"score":' "$work/out")" 11
    chmod 755 closed
else
    skip "a folder that cannot be read" "root reads everything"
fi

check_code "--max-pixels" 1 "$QBOOST" score --max-pixels 63 b.ppm
check_has "the option is named" "$work/err" "; raise it with --max-pixels"
check_code "--max-memory" 1 "$QBOOST" score --max-memory 100 b.ppm
check_has "the option is named" "$work/err" "; raise it with --max-memory"
check_code "--max-memory, decoding" 1 "$QBOOST" score --max-memory 300 b.ppm
check_has "the option is named" "$work/err" "; raise it with --max-memory"
check_code "--max-pixels, enough" 0 "$QBOOST" score --max-pixels 0.1k b.ppm

# shards: a partition, the same whatever else is in the list
mkdir many && for i in $(seq 40); do ln -s ../b.ppm many/$i.ppm; done
paths many | sort >"$work/all"
for n in 1 3 4; do
    : >"$work/union"
    sizes=
    for i in $(seq 0 $((n - 1))); do
        paths --shard $i/$n many >"$work/shard" && sizes="$sizes $(n_lines "$work/shard")"
        cat "$work/shard" >>"$work/union"
    done
    check "$n shards are a partition ($sizes )" bash -c 'sort "$1" | cmp - "$2"' - "$work/union" "$work/all"
    check "$n shards share the work ($sizes )" bash -c 'for s; do [ $s -ge $((40 / '$n' / 3)) ] || exit 1; done' - $sizes
done
one=$(paths --shard 1/3 many | head -1)
check_same "a path's shard depends on nothing else" "$(paths --shard 1/3 "$one")" "$one"
code=0
for i in 0 1 2; do "$QBOOST" score --shard $i/3 b.ppm >/dev/null 2>&1 || code=$?; done
check_same "an empty shard is no error" $code 0
finish
