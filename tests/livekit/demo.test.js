'use strict';

// The page that `greenroom demo --livekit` writes, opened as a file in a real browser. ANSWERS has what `rtcsessions`
// answered to an interpreter and to a guest.

const assert = require('node:assert/strict');
const fs = require('node:fs/promises');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { after, before, test } = require('node:test');
const { chromium } = require('playwright-core');

const BROWSER = process.env.CHROMIUM || '/usr/bin/chromium';
const ANSWERS = JSON.parse(process.env.ANSWERS);
const PAGE = pathToFileURL(path.join(__dirname, '../../src/cli/demo/livekit.html')).href;
const CLIENT = path.join(path.dirname(require.resolve('livekit-client')), 'livekit-client.umd.js');
const { version } = require(path.join(path.dirname(CLIENT), '../package.json'));
const FLAGS = [
  // The page is our own.
  '--no-sandbox',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--allow-loopback-in-peer-connection',
];
const LIMIT_MS = 10_000;

let browser;
let context;

before(async () => {
  browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
  context = await browser.newContext();
  // The package's own file in the network's place. The browser compares it with the page's hash.
  await context.route(`https://cdn.jsdelivr.net/npm/livekit-client@${version}/dist/livekit-client.umd.js`, async (route) => {
    const headers = { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'text/javascript' };
    await route.fulfill({ headers, body: await fs.readFile(CLIENT) });
  });
});

after(() => browser?.close());

async function open() {
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  await page.goto(PAGE);
  return page;
}

async function join(page, answer) {
  await page.fill('#answer', JSON.stringify(answer));
  await page.click('#sessions button');
  await page.waitForFunction(() => document.querySelector('#state').textContent.startsWith('In '));
  return page.textContent('#state');
}

test('the interpreter speaks, and the guest hears them and sees both', async () => {
  const [interpreter, guest] = [await open(), await open()];
  assert.match(await join(interpreter, ANSWERS.interpreter), /heard by the others/);
  assert.match(await join(guest, ANSWERS.guest), /listening\.$/);
  await guest.waitForFunction(() => document.querySelector('audio')?.currentTime > 0.5);
  const people = await guest.locator('#people li').allTextContents();
  assert.equal(people.length, 2);
  assert.equal(people.filter((line) => line.endsWith('microphone on')).length, 1);
  assert.equal(people.filter((line) => line.includes(', you:')).length, 1);
  await interpreter.click('#leave');
  await guest.waitForFunction(() => document.querySelectorAll('#people li').length === 1);
  await interpreter.waitForFunction(() => document.querySelector('#state').textContent.includes('CLIENT_INITIATED'));
  assert.equal(await guest.locator('audio').count(), 0);
});

test('what is no answer of a session at LiveKit is said', async () => {
  const page = await open();
  await page.fill('#answer', '{');
  assert.match(await page.textContent('#state'), /no JSON/);
  for (const answer of [{ sessions: [{ language: 'English', tokbox: {} }] }, { detail: 'Not found.' }, null]) {
    await page.fill('#answer', JSON.stringify(answer));
    assert.match(await page.textContent('#state'), /No session in this answer is at LiveKit|no JSON/);
  }
  assert.equal(await page.locator('#sessions button').count(), 0);
});
