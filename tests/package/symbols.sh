#!/bin/bash
# symbols.sh: the shared library exports what the public headers declare, all of it and nothing else.
# SPDX-License-Identifier: Apache-2.0
cd "$(dirname "$0")/../.." || exit 1
library=$(ls "${BUILD:-build}"/libqboost.so.*.*.*)
declared=$(cat include/qboost/*.h | tr '\n' ' ' | grep -oE 'QB_API[^;]*;' | grep -oE 'qb_[a-z0-9_]+\(' | tr -d '(' | sort -u)
exported=$(nm -D --defined-only "$library" | awk '{ print $3 }' | grep -vE '^(__asan|__ubsan|__odr_asan|__lsan|_init|_fini)' | sort -u)
if [ "$declared" = "$exported" ]; then
    echo "ok exported symbols are the declared ones ($(echo "$declared" | wc -l))"
else
    echo "not ok exported symbols differ from the declared ones"
    diff <(echo "$declared") <(echo "$exported")
    exit 1
fi
soname=$(objdump -p "$library" | awk '/SONAME/ { print $2 }')
if [[ $library == *"$soname".* ]]; then echo "ok soname $soname"; else echo "not ok soname $soname of $library"; exit 1; fi
