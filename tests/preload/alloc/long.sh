#!/bin/sh
# Millions of random operations under every policy: long.sh LIBRARY ALLOC_STRESS [SEED]
#
# Ends at the first failure, with the settings and the seed that show it again.
set -eu

library=$1
program=$2
seed=${3:-$(date +%s)}
all=heap,anon,file,shared,stack,image

# run SETTING=value … -- ARGUMENT …
run() {
    settings=
    while [ "$1" != -- ]; do
        settings="$settings AUTOLOCK_$1"
        shift
    done
    shift
    echo "==$settings $program seed=$seed $*"
    # shellcheck disable=SC2086
    env AUTOLOCK_MODE=alloc AUTOLOCK_STATS=off LD_PRELOAD="$library" $settings \
        "$program" "seed=$seed" "$@" >"$log" 2>&1 || { status=$?; cat "$log"; exit $status; }
    tail -n 1 "$log"
    seed=$((seed + 1))
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

for threads in 1 4 8; do
    for flags in current,future current,future,onfault; do
        for kinds in heap anon heap,anon "$all"; do
            for min_size in 0 4K 64K; do
                run KINDS="$kinds" FLAGS=$flags MIN_SIZE=$min_size -- \
                    threads=$threads operations=3000000 rounds=24 breaks
            done
        done
        run KINDS="$all" FLAGS=$flags MAX_SIZE=1M -- threads=$threads operations=3000000 rounds=24
        run KINDS="$all" FLAGS=$flags -- \
            threads=$threads operations=3000000 rounds=24 slots=60000 fork=20000
    done
done
