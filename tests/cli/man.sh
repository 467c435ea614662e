#!/bin/bash
# The manual pages are valid mdoc and tell all options.
# SPDX-License-Identifier: Apache-2.0
. tests/cli/lib.sh
for command in "" score ask info noise "noise watch" "noise train" completion help; do
    page=qboost${command:+-${command// /-}}.1
    check_code "$page" 0 "$QBOOST" help --man $command
    cp "$work/out" "$work/$page"
    if command -v mandoc >/dev/null; then
        mandoc -T lint -W warning "$work/$page" >"$work/lint" 2>&1
        check_same "$page: nothing to complain about" "$(cat "$work/lint")" ""
        mandoc -T utf8 "$work/$page" | sed 's/.\x08//g' >"$work/text"
        missing=
        [ -z "$command" ] || for option in $("$QBOOST" $command --help | grep -oE '^  (-.,|   ) --[a-z-]+' | grep -oE -- '--[a-z-]+'); do
            grep -qF -e "$option" "$work/text" || missing="$missing $option"
        done
        check_same "$page: all options" "$missing" ""
        check_has "$page: exit status" "$work/text" "EXIT STATUS"
    else
        skip "$page is valid" "mandoc is not installed"
    fi
done
finish
