# lib.sh: what the tests of the command line share: TAP lines, a scratch folder, a tiny picture.
# SPDX-License-Identifier: Apache-2.0
set -u
QBOOST=${QBOOST:-build/qboost}
case $QBOOST in /*) ;; *) QBOOST=$PWD/$QBOOST ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n_failed=0
# Nothing of the caller's settings may leak in.
for variable in $(env | sed -n 's/^\(QBOOST_[A-Z_]*\)=.*/\1/p') NO_COLOR FORCE_COLOR; do
    unset "$variable"
done
export LC_ALL=C.UTF-8

pass() { echo "ok - $1"; }
fail() {
    echo "not ok - $1"
    n_failed=$((n_failed + 1))
}
skip() { echo "ok - $1 # SKIP $2"; }

# check NAME COMMAND…: passes when the command succeeds.
check() {
    local name=$1
    shift
    if "$@" >"$work/.check" 2>&1; then pass "$name"; else fail "$name"; sed 's/^/#   /' "$work/.check" | head -20; fi
}

# check_code NAME CODE COMMAND…: passes when the command exits with CODE. Its output: $work/out, $work/err.
check_code() {
    local name=$1 wanted=$2 code
    shift 2
    "$@" >"$work/out" 2>"$work/err"
    code=$?
    if [ $code -eq "$wanted" ]; then
        pass "$name"
    else
        fail "$name: exit code $code, expected $wanted"
        sed 's/^/#   /' "$work/err" | head -5
    fi
}

# check_same NAME GOT EXPECTED
check_same() {
    if [ "$2" = "$3" ]; then pass "$1"; else fail "$1: got '$2', expected '$3'"; fi
}

# check_has NAME FILE FIXED_TEXT and check_has_not
check_has() { check "$1" grep -qF -e "$3" "$2"; }
check_has_not() { check "$1" bash -c '! grep -qF -e "$2" "$1"' - "$2" "$3"; }

# n_lines FILE
n_lines() { wc -l <"$1" | tr -d ' '; }

# make_ppm FILE SEED: an 8 x 8 picture whose pixels depend on SEED.
make_ppm() {
    { printf 'P6 8 8 255\n'; awk -v seed="$2" 'BEGIN { srand(seed); for (i = 0; i < 192; i++) printf "%c", 33 + int(rand() * 90) }'; } >"$1"
}

# make_checkpoint DIR OPTION…: a tiny checkpoint with random weights, as models are published.
make_checkpoint() {
    local folder=$1
    shift
    "${BUILD:-build}/bench/make_checkpoint" --size tiny "$@" "$folder" >"$work/.make" 2>&1 ||
        { fail "make_checkpoint $*"; sed 's/^/#   /' "$work/.make"; }
}

# without_ms FILE: its JSON lines without timings.
without_ms() { sed 's/"ms":{[^}]*},//' "$1"; }

is_sanitized() { grep -qaF -e __asan_init -e __tsan_init "$QBOOST"; }

finish() { exit $((n_failed > 0)); }
