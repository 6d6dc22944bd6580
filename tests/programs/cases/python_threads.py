"""python3 with 16 threads that compress, hash and build objects at the same time."""

from support import find_program, need

SCRIPT = """
import hashlib, json, threading, zlib

results = [None] * 16
gate = threading.Barrier(16)

def work(number):
    gate.wait()
    digest = hashlib.sha256()
    for turn in range(20):
        block = bytes((number * 31 + turn * 7 + i) % 251 for i in range(4000)) * 60
        packed = zlib.compress(block, 6)
        assert zlib.decompress(packed) == block
        digest.update(block)
        table = {str(i): [i, i * number] for i in range(800)}
        digest.update(json.dumps(table).encode())
    results[number] = digest.hexdigest()

threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("\\n".join(results))
"""


def interpreter():
    return find_program("python3", "/usr/bin") or need("python3")


def run(stage):
    stage.write("threads.py", SCRIPT)
    stage.command(interpreter(), "-I", "-B", "threads.py")
