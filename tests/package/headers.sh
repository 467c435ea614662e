#!/bin/bash
# headers.sh: every public header compiles alone, in C11 and in C++.
# SPDX-License-Identifier: Apache-2.0
cd "$(dirname "$0")/../.." || exit 1
status=0
for header in include/qboost/*.h; do
    name=${header#include/}
    for language in "c -std=c11" "c++ -std=c++11"; do
        case $language in c++*) command -v g++ clang++-14 >/dev/null || { echo "ok $name in C++ # SKIP no C++ compiler"; continue; } ;; esac
        compiler=${CC:-cc}
        case $language in c++*) compiler=$(command -v g++ clang++-14 | head -1) ;; esac
        if echo "#include <$name>" | $compiler -x $language -Iinclude -Wall -Wextra -pedantic -Werror -fsyntax-only -; then
            echo "ok $name ${language%% *}"
        else
            echo "not ok $name ${language%% *}"
            status=1
        fi
    done
done
exit $status
