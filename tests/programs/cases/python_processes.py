"""python3 multiprocessing: a pool of four forked workers that share memory, pipes and locks with their parent."""

from cases.python_threads import interpreter

SCRIPT = """
import hashlib, multiprocessing, sys

def work(number):
    block = bytearray(range(256)) * 2000
    for i in range(0, len(block), 97):
        block[i] = (block[i] + number) % 256
    return number, hashlib.sha256(block).hexdigest(), sum(inherited[number::64])

def count(counter, turns):
    for _ in range(turns):
        with counter.get_lock():
            counter.value += 1

if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    inherited = list(range(200000))
    with multiprocessing.Pool(4) as pool:
        for line in pool.map(work, range(64), 4):
            print(*line)
        pool.close()
        pool.join()
    counter = multiprocessing.Value("i", 0)
    workers = [multiprocessing.Process(target=count, args=(counter, 500)) for _ in range(2)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    print(counter.value, [worker.exitcode for worker in workers])
    failing = multiprocessing.Process(target=sys.exit, args=(9,))
    failing.start()
    failing.join()
    print(failing.exitcode)
"""


def run(stage):
    python = interpreter()
    stage.write("processes.py", SCRIPT)
    # The parent, four workers, two counters and the one that fails; each child ends by _exit.
    stage.command(python, "-I", "-B", "processes.py", programs={python: 8})
