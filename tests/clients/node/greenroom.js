'use strict';

// A local server for one test file: started on a free loopback port with its store in memory, and
// stopped by its process when the file is done.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const readline = require('node:readline');

const BINARY = process.env.GREENROOM || path.resolve(__dirname, '../../../target/debug/greenroom');
const LISTENING = /^greenroom listening on (http:\/\/127\.0\.0\.1:\d+)$/;
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;

// A proxy of the machine is none of these tests' business.
process.env.NO_PROXY = '127.0.0.1';
process.env.no_proxy = '127.0.0.1';

async function start(environment) {
  const server = spawn(BINARY, ['serve', '--memory', '--port', '0'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = () => server.kill('SIGKILL');
  process.on('exit', kill);

  const url = await new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`no address within ${START_LIMIT_MS} ms`)), START_LIMIT_MS);
    const settle = (how) => (value) => { clearTimeout(limit); how(value); };
    server.once('error', settle(reject));
    server.once('exit', (code) => settle(reject)(new Error(`${BINARY} ended with ${code}`)));
    // The stream is read to its end, so that a talkative server never blocks on a full pipe.
    readline.createInterface({ input: server.stdout }).on('line', (line) => {
      const found = LISTENING.exec(line);
      if (found) settle(resolve)(found[1]);
    });
  }).catch((error) => { kill(); throw error; });

  async function stop() {
    const limit = setTimeout(kill, STOP_LIMIT_MS);
    server.kill('SIGTERM');
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    clearTimeout(limit);
    process.off('exit', kill);
    assert.notEqual(server.signalCode, 'SIGKILL', 'the server did not stop when it was told to');
  }
  return { url, stop };
}

module.exports = { start };
