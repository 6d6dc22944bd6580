"""Runs a program of libFuzzer's, from the inputs that are kept, and says how many it has tried.

    run.py [--runs N | --seconds N] [--longest BYTES] PROGRAM CORPUS

With --runs it is the same each time. An input that fails is left beside the program, and its name is said. The
inputs that are kept are never changed: new ones go to a directory that is thrown away, or to --keep.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--longest", type=int, default=4096)
    parser.add_argument("--keep", help="a directory for inputs that reach what none has reached before")
    parser.add_argument("program")
    parser.add_argument("corpus")
    options = parser.parse_args()

    name = os.path.basename(options.program)
    kept = os.listdir(options.corpus)
    if not kept:
        print(f"{name}: no inputs in {options.corpus}")
        return 1
    with tempfile.TemporaryDirectory() as new:
        command = [options.program, f"-max_len={options.longest}", "-timeout=60", "-rss_limit_mb=4096",
                   f"-artifact_prefix={os.path.dirname(os.path.abspath(options.program))}/{name}-", "-verbosity=1"]
        if options.seconds:
            command.append(f"-max_total_time={options.seconds}")
        else:
            command += [f"-runs={options.runs or 1000}", "-seed=1"]
        command += [options.keep or new, options.corpus]
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1",
                           UBSAN_OPTIONS="print_stacktrace=1")
        run = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", env=environment)
    done = re.search(r"Done (\d+) runs", run.stderr)
    cover = re.findall(r"cov: (\d+)", run.stderr)
    if run.returncode or not done:
        print(run.stderr[-6000:])
        print(f"{name}: failed with {run.returncode}")
        return 1
    print(f"{name}: {int(done[1]):,} executions from {len(kept)} inputs, {cover[-1] if cover else '?'} places reached, "
          "0 findings")
    print(f"COUNT: {done[1]} executions")
    # It must have tried what it was given, and what came of it.
    return 0 if int(done[1]) >= len(kept) else 1


sys.exit(main())
