#!/bin/bash
# Help, version, typos, environment names: what the command table promises.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh

check_code "no arguments: usage" 2 "$QBOOST"
check_has "no arguments: help on stderr" "$work/err" "Usage: qboost COMMAND"
check_code "--help" 0 "$QBOOST" --help
check_has "--help lists the commands" "$work/out" "score how good pictures look"
check_code "--version" 0 "$QBOOST" --version
check "--version is a version" grep -qxE 'qboost [0-9]+\.[0-9]+\.[0-9]+' "$work/out"

for command in score video eval compare ask mcq info convert noise "noise watch" "noise train" completion help; do
    check_code "$command --help" 0 "$QBOOST" $command --help
    cp "$work/out" "$work/help.$command"
    check_same "$command --help: nothing on stderr" "$(n_lines "$work/err")" 0
    for part in "Usage: qboost $command" Examples: Options: "Exit codes:" --help; do
        check_has "$command --help has '$part'" "$work/help.$command" "$part"
    done
    check "$command --help fits 80 columns but for examples" \
        bash -c 'grep -v "^  qboost\|^  find\|^  curl\|^  source" "$1" | awk "{ gsub(/…/, \".\"); if (length > 80) { print; bad = 1 } } END { exit bad }"' - "$work/help.$command"
    "$QBOOST" help $command >"$work/out"
    check "help $command says the same" cmp -s "$work/out" "$work/help.$command"
    check_code "$command -h" 0 "$QBOOST" $command -h
    check_code "$command --help wins over mistakes" 0 "$QBOOST" $command --nonsense --help
done

# every option of every command is in the manual and in docs/cli.md
for command in score video eval compare ask mcq info convert noise "noise watch" "noise train" completion help; do
    missing=
    for option in $(grep -oE '^  (-.,|   ) --[a-z-]+' "$work/help.$command" | grep -oE -- '--[a-z-]+'); do
        grep -qF -e "\`$option" docs/cli.md || missing="$missing $option"
    done
    check_same "docs/cli.md has all options of $command" "$missing" ""
done
"$QBOOST" score --variant '' x 2>"$work/err"
variants=$(sed -n 's/.* is none of //p' "$work/err" | tr -d ,)
check "there are variants" [ "$(echo $variants | wc -w)" -ge 5 ]
"$QBOOST" mcq --layout '' x 2>"$work/err"
for name in $variants $(sed -n 's/.* is none of //p' "$work/err" | tr -d ,); do
    check "docs/prompts.md has $name" grep -qF -e "| \`$name\` |" docs/prompts.md
done
for code in 0 1 2 3 4 5 6 7 130 143; do
    check "exit code $code is documented" grep -qE "^\| $code \|" docs/cli.md
done

typo() {
    check_code "typo: $1" 2 "$QBOOST" $1
    check_has "typo: $1 -> $2" "$work/err" "did you mean $2?"
}
typo "scroe x" "'score'"
typo "inof" "'info'"
typo "score --modle x" --model
typo "score --thread 2 x" --threads
typo "score --max-pixles 2 x" --max-pixels
typo "score --format jsno x" json
typo "help scor" "'score'"
typo "noise wach x" "'qboost noise watch'"
typo "help noise tran" "'noise train'"
typo "watch x" "'noise watch'"
typo "noise train --clasifier svm x" --classifier
check_code "help with words joined" 0 "$QBOOST" help noise-watch
check "is that of the words" cmp -s "$work/out" "$work/help.noise watch"
check_code "a part that is none" 2 "$QBOOST" help noise xyzzyxyzzy
check_code "a file called like a part" 1 bash -c 'cd "$2" && printf "not a picture" >watch && "$1" noise ./watch' - "$QBOOST" "$work"
check_has "is a file" "$work/err" "./watch: "
"$QBOOST" help --list >"$work/list"
check_same "help --list has one word a command" "$(grep -c ' ' "$work/list")" 0
check_has "also for two words" "$work/list" noise-watch
check_code "a file where a command belongs" 2 "$QBOOST" README.md
check_code "nothing like it: no suggestion" 2 "$QBOOST" xyzzyxyzzy
check_has_not "nothing like it: no suggestion made" "$work/err" "did you mean"
finish
