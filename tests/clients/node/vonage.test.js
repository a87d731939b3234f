'use strict';

// Vonage Video as the media provider: Greenroom makes the tokens of the SDK and sends its requests.

const assert = require('node:assert/strict');
const { createPublicKey, verify } = require('node:crypto');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Auth } = require('@vonage/auth');
const { Video, MediaMode, ArchiveMode } = require('@vonage/video');
const axios = require('axios');
const greenroom = require('./greenroom');

const APPLICATION = '5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11';
const KEY = readFileSync(path.resolve(__dirname, '../../keys/rsa.pem'), 'utf8');
const API_TOKEN = '9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b';

const requests = [];
const vonage = http.createServer((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    requests.push({ request, form: Object.fromEntries(new URLSearchParams(body)) });
    const id = Buffer.from(`1~${APPLICATION}~~1700000000000~${requests.length}~`).toString('base64url');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify([{ session_id: `1_${id}`, project_id: APPLICATION }]));
  });
});

let server;
let sdk;
before(async () => {
  await new Promise((resolve) => { vonage.listen(0, '127.0.0.1', resolve); });
  const host = `http://127.0.0.1:${vonage.address().port}`;
  sdk = new Video(new Auth({ applicationId: APPLICATION, privateKey: KEY }), { videoHost: host });
  server = await greenroom.start({
    API_TOKEN,
    VIDEO_PROVIDER: 'vonage',
    VONAGE_API_URL: host,
    VONAGE_APPLICATION_ID: APPLICATION,
    VONAGE_PRIVATE_KEY: KEY,
  });
});
after(async () => {
  vonage.close();
  await server?.stop();
});

/** The claims of a token that the application's key has signed. */
function claims(token) {
  const [header, payload, signature] = token.split('.');
  const signed = Buffer.from(signature, 'base64url');
  assert.ok(verify('RSA-SHA256', `${header}.${payload}`, createPublicKey(KEY), signed));
  assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url')), { alg: 'RS256', typ: 'JWT' });
  return JSON.parse(Buffer.from(payload, 'base64url'));
}

/** These claims without those that differ from token to token. The SDK rounds one of its two times up. */
function lasting({ iat, exp, jti, ...rest }) {
  assert.ok([86_400, 86_401].includes(exp - iat));
  assert.ok(jti);
  return rest;
}

test('a token and a request are those of the SDK', { timeout: 30_000 }, async () => {
  const headers = { Authorization: `Token ${API_TOKEN}` };
  const { data } = await axios.post(`${server.url}/api/v2/networktestsessions/`, {}, { headers });
  const ours = claims(data.sessionToken);
  assert.deepEqual(lasting(ours), lasting(claims(sdk.generateClientToken(data.sessionId))));

  await sdk.createSession({ mediaMode: MediaMode.ROUTED, archiveMode: ArchiveMode.MANUAL });
  const [our, their] = requests.splice(0);
  assert.deepEqual([our.request.method, our.request.url], [their.request.method, their.request.url]);
  // Without a place, the SDK sends the word `null`.
  const { location, ...form } = their.form;
  assert.deepEqual([our.form, location], [form, 'null']);
  for (const { request } of [our, their]) {
    const sent = claims(request.headers.authorization.replace(/^Bearer /, ''));
    assert.deepEqual([sent.application_id, sent.exp - sent.iat], [APPLICATION, 900]);
  }
});
