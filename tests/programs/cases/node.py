"""node: objects, buffers, zlib, hashes, worker threads and the garbage collector."""

from support import need

SCRIPT = r"""
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto'), zlib = require('zlib'), fs = require('fs');

function work(seed) {
  const hash = crypto.createHash('sha256');
  for (let turn = 0; turn < 12; turn++) {
    const list = Array.from({ length: 20000 }, (_, i) => ({ key: (i * 7919 + seed) % 10007, text: 'value ' + i }));
    list.sort((a, b) => a.key - b.key || (a.text < b.text ? -1 : 1));
    hash.update(JSON.stringify(list));
    const block = Buffer.alloc(400000, 'abc' + turn);
    hash.update(zlib.inflateSync(zlib.deflateSync(block)));
  }
  return hash.digest('hex');
}

if (isMainThread) {
  console.log(work(0));
  fs.writeFileSync('made', Buffer.alloc(1 << 20, 'node'));
  console.log(crypto.createHash('md5').update(fs.readFileSync('made')).digest('hex'));
  let running = 2; const said = [];
  for (const seed of [1, 2]) {
    const worker = new Worker(__filename, { workerData: seed });
    worker.on('message', text => { said[seed] = text; });
    worker.on('error', error => { console.error('worker failed', error.message); process.exit(8); });
    worker.on('exit', code => {
      said[seed] += ' ' + code;
      if (--running === 0) { console.log(said[1] + '\n' + said[2]); process.exitCode = 5; }
    });
  }
} else {
  parentPort.postMessage(work(workerData));
}
"""


def run(stage):
    node = need("node")
    stage.write("script.js", SCRIPT)
    stage.command(node, "script.js", status=5)
    stage.produced("made")
