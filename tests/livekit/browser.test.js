'use strict';

// An interpreter and a guest in the tabs of a real browser with a fake microphone. MEETING says where, as
// test_browser.py has made it.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs/promises');
const http = require('node:http');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { chromium } = require('playwright-core');

const BROWSER = process.env.CHROMIUM || '/usr/bin/chromium';
const MEETING = JSON.parse(process.env.MEETING);
const CLIENT = path.join(path.dirname(require.resolve('livekit-client')), 'livekit-client.umd.js');
const FILES = {
  '/': ['text/html', path.join(__dirname, 'page.html')],
  '/livekit-client.js': ['text/javascript', CLIENT],
};
const FLAGS = [
  // The pages are our own.
  '--no-sandbox',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--allow-loopback-in-peer-connection',
];
const GONE = ['PARTICIPANT_REMOVED', 'ROOM_DELETED'];
const LIMIT_MS = 10_000;
// The fake microphone beeps each second. Silence has an energy of 0.
const SOUND = 0.001;

let server;
let browser;
let interpreter;
let guest;

before(async () => {
  server = http.createServer(async ({ url }, response) => {
    const [type, file] = FILES[url] ?? [];
    response.writeHead(type ? 200 : 404, { 'Content-Type': type ?? 'text/plain' });
    response.end(file && await fs.readFile(file));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
  const context = await browser.newContext();
  const open = async () => {
    const page = await context.newPage();
    page.setDefaultTimeout(LIMIT_MS);
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    return page;
  };
  interpreter = await open();
  guest = await open();
});

after(async () => {
  await browser?.close();
  server?.close();
});

const connect = (page, { url, token }) => page.evaluate(([url, token]) => connect(url, token), [url, token]);

// Waits until somebody else has ended the page's connection. Returns the client's name of the reason.
async function putOut(page) {
  await page.waitForFunction(() => window.participant.reason);
  return page.evaluate(() => window.participant.reason);
}

// Connects with a token and says why it was over. A client that is put out while it connects may wait for its
// connection for 15 seconds more, which nobody here does.
async function comesBack(page, { url, token }) {
  await page.evaluate(([url, token]) => { connect(url, token).catch(() => {}); }, [url, token]);
  return putOut(page);
}

async function remove(address, authorization, status) {
  const answer = await fetch(MEETING.greenroom + address, { method: 'DELETE', headers: { authorization } });
  assert.equal(answer.status, status);
}

test('the guest hears the interpreter', async () => {
  await connect(interpreter, MEETING.interpreter);
  await interpreter.evaluate(() => speak());
  await connect(guest, MEETING.guest);
  await guest.waitForFunction(async (sound) => await energy() > sound, SOUND, { polling: 50 });
});

test('the guest cannot speak', async () => {
  const refused = await guest.evaluate(() => speak().then(() => null, ({ name }) => name));
  assert.ok(refused);
});

test('a DELETE puts the guest out and keeps them out', async () => {
  // The server gives each client another token, which it has not before it has joined.
  await guest.waitForFunction((token) => window.participant.room.engine.token !== token, MEETING.guest.token);
  const token = await guest.evaluate(() => window.participant.room.engine.token);
  await remove(MEETING.connection, MEETING.operator, 200);
  assert.equal(await putOut(guest), 'PARTICIPANT_REMOVED');
  assert.equal(await guest.evaluate(() => window.participant.reconnected), false);
  assert.ok(GONE.includes(await comesBack(guest, MEETING.guest)));
  assert.ok(GONE.includes(await comesBack(guest, { ...MEETING.guest, token })));
  assert.equal(await interpreter.evaluate(() => window.participant.reason), null);
});

test('the end of the event puts the interpreter out', async () => {
  await remove(MEETING.event, MEETING.organiser, 204);
  assert.ok(GONE.includes(await putOut(interpreter)));
  assert.ok(GONE.includes(await comesBack(interpreter, MEETING.interpreter)));
});
