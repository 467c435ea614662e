#!/bin/bash
# instructions.sh: vector instructions stay in the files that are named after them. One that leaks into
# another file crashes the program on every older CPU.
# SPDX-License-Identifier: Apache-2.0
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
[ "$(uname -m)" = x86_64 ] || { echo "ok instructions # SKIP only on x86-64"; exit 0; }
status=0
# every AVX instruction is encoded with a v in front; verr, verw and vm… are other families
avx='^ *[0-9a-f]+:.*\s(v[a-z0-9]+)\s.*%[xyz]mm'
for object in "$BUILD"/src/*/*.o; do
    case $object in *_avx2.o | *_avx512.o) continue ;; esac
    if objdump -d --no-show-raw-insn "$object" | grep -qE "$avx"; then
        echo "not ok $object has AVX instructions"
        objdump -d --no-show-raw-insn "$object" | grep -E "$avx" | head -3
        status=1
    fi
done
[ $status = 0 ] && echo "ok no AVX outside *_avx2.c and *_avx512.c"
if objdump -d --no-show-raw-insn "$BUILD/src/kernels/matmul_avx2.o" | grep -qE '%zmm'; then
    echo "not ok matmul_avx2.o has AVX-512 registers"
    status=1
else
    echo "ok no AVX-512 in matmul_avx2.o"
fi
if objdump -d --no-show-raw-insn "$BUILD/src/kernels/matmul_avx512.o" | grep -qE "$avx"; then
    echo "ok the check can see AVX"
else
    echo "not ok the check sees no AVX where it must be"
    status=1
fi
exit $status
