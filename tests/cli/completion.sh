#!/bin/bash
# The completion scripts load and complete.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
for shell in bash zsh fish; do
    check_code "completion $shell" 0 "$QBOOST" completion $shell
    cp "$work/out" "$work/complete.$shell"
    if command -v $shell >/dev/null; then
        check "$shell accepts its script" $shell -n "$work/complete.$shell"
    else
        skip "$shell accepts its script" "$shell is not installed"
    fi
done

# complete WORD…: what bash would offer for the last word
cat >"$work/complete.bash.test" <<'BASH'
. "$1"
shift
COMP_WORDS=(qboost "$@")
COMP_CWORD=$#
_qboost
printf '%s\n' "${COMPREPLY[@]}"
BASH
complete() { bash "$work/complete.bash.test" "$work/complete.bash" "$@" | tr '\n' ' '; }
check_same "bash: commands" "$(complete sc)" "score "
check_same "bash: options" "$(complete score --max)" "--max-pixels --max-memory "
check_same "bash: values" "$(complete score --format js)" "json jsonl "
check_same "bash: values after =" "$(complete score --format = t)" "table tsv "
check_same "bash: values of a command's word" "$(complete completion z)" "zsh "
check_same "bash: help completes commands" "$(complete help in)" "info "
check_same "bash: files are left to bash" "$(complete score pho)" " "
check_same "bash: the first of two words" "$(complete noi)" "noise "
check_same "bash: the second" "$(complete noise "")" "watch train "
check_same "bash: which may be a file instead" "$(complete noise pho)" " "
check_same "bash: options of both" "$(complete noise watch --pat)" "--patience "
check_same "bash: options of the first" "$(complete noise --fail)" "--fail-over "
check_same "bash: a file behind two words" "$(complete noise watch wa)" " "
check_same "bash: values of both" "$(complete noise watch --way h)" "halves "
check_same "bash: help completes the second" "$(complete help noise tr)" "train "

if command -v fish >/dev/null; then
    check "fish: options" bash -c 'fish -c "source $1; complete -C \"qboost score --max\"" | grep -q -- --max-pixels' - "$work/complete.fish"
    check "fish: options of two words" bash -c 'fish -c "source $1; complete -C \"qboost noise watch --pat\"" | grep -q -- --patience' - "$work/complete.fish"
    check "fish: options of the first alone" bash -c '! fish -c "source $1; complete -C \"qboost noise watch --fail\"" | grep -q -- --fail-over' - "$work/complete.fish"
    check "fish: the second word" bash -c 'fish -c "source $1; complete -C \"qboost noise wa\"" | grep -q "^watch"' - "$work/complete.fish"
    check "fish: values" bash -c 'fish -c "source $1; complete -C \"qboost score --format js\"" | grep -q "^jsonl"' - "$work/complete.fish"
else
    skip "fish: options" "fish is not installed"
fi
if command -v zsh >/dev/null; then
    check "zsh: the script defines its function" zsh -c 'autoload -U compinit; compinit -D -u; source $1; whence -w _qboost | grep -q function' - "$work/complete.zsh"
else
    skip "zsh: the script defines its function" "zsh is not installed"
fi
# a script knows every option of the help
for command in score ask info noise "noise watch" "noise train"; do
    missing=
    for option in $("$QBOOST" $command --help | grep -oE '^  (-.,|   ) --[a-z-]+' | grep -oE -- '--[a-z-]+'); do
        grep -qF -e "$option" "$work/complete.zsh" || missing="$missing zsh:$option"
        grep -qF -e "-l ${option#--}" "$work/complete.fish" || missing="$missing fish:$option"
    done
    check_same "$command: all options are in the scripts" "$missing" ""
done
finish
