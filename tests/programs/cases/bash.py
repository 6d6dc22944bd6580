"""bash: arrays, process substitution, traps, background jobs and descriptors of its own."""

from support import need

SCRIPT = r"""echo "with $BASHPID" >/dev/null
set -euo pipefail
trap 'echo "the end: $?"' EXIT
declare -A squares
for number in {1..500}; do squares[$number]=$((number * number)); done
sum=0
for value in "${squares[@]}"; do ((sum += value)); done
echo "sum of squares $sum"
exec 3>third 4<"$0"
echo "through descriptor three" >&3
read -r first <&4
echo "my first line: '$first'"
diff <(seq 1 100) <(seq 1 2 100) >differences || echo "diff says $?"
pids=()
for job in 1 2 3 4; do
  (for ((i = 0; i < 2000; i++)); do :; done; echo "job $job" >"job.$job"; exit "$job") &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || echo "job ended with $?"; done
text=$(printf 'x%.0s' {1..20000})
echo "${#text} ${text//x/yz}" | md5sum
coproc upper { tr a-z A-Z; }
echo "a coprocess" >&"${upper[1]}"
eval "exec ${upper[1]}>&-"
cat <&"${upper[0]}"
exit 3
"""


def run(stage):
    bash = need("bash")
    for tool in ("seq", "diff", "md5sum", "tr", "cat"):
        need(tool)
    stage.write("script.sh", SCRIPT)
    stage.command(bash, "script.sh", status=3, programs=[bash, "diff", "md5sum"])
    stage.produced("third", "differences", "job.1", "job.2", "job.3", "job.4")
