'use strict';

// Says what the official verifier makes of tokens: reads a JSON array of them, writes one of claims, or null where it
// refuses.

const { text } = require('node:stream/consumers');
const { TokenVerifier } = require('livekit-server-sdk');

async function main() {
  const { key, secret, tokens } = JSON.parse(await text(process.stdin));
  const verifier = new TokenVerifier(key, secret);
  const verdicts = tokens.map((token) => verifier.verify(token).catch(() => null));
  process.stdout.write(JSON.stringify(await Promise.all(verdicts)));
}

main();
