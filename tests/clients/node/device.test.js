'use strict';

// The device example of the API's documentation, with the axios that openvidu-node-client brings.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const axios = require('axios');
const greenroom = require('./greenroom');

let server;
before(async () => { server = await greenroom.start(); });
after(() => server?.stop());

test('the documented example registers a device', { timeout: 30_000 }, async () => {
  const data = JSON.stringify({ identifier: 'device_unique_id_here' });
  const config = {
    method: 'post',
    maxBodyLength: Infinity,
    url: `${server.url}/api/sessions`,
    headers: { 'Content-Type': 'application/json', Authorization: 'Bearer YOUR_ACCESS_TOKEN' },
    data,
  };
  const registered = await axios.request(config);
  assert.equal(registered.status, 200);
  assert.deepEqual(Object.keys(registered.data), ['data']);
  assert.deepEqual(Object.keys(registered.data.data), ['token']);

  const { token } = registered.data.data;
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
  assert.equal(typeof claims.session, 'string');
  assert.ok(claims.exp > claims.iat);

  const read = await axios.get(`${server.url}/api/session`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(read.status, 200);
  assert.equal(read.data.data.identifier, 'device_unique_id_here');
  assert.equal(read.data.data.session, claims.session);
});

test('a device without an identifier reads why in the answer', { timeout: 30_000 }, async () => {
  const refused = axios.post(`${server.url}/api/sessions`, { name: 'no identifier' });
  await assert.rejects(refused, ({ response }) => {
    assert.equal(response.status, 400);
    assert.equal(response.data.error.code, 'invalid_identifier');
    return true;
  });
});
