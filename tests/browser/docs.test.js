'use strict';

// What somebody sees who opens the documentation, in a real browser, on a telephone and on a desk.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { chromium } = require('playwright-core');
const { start } = require('../clients/node/greenroom.js');

const BROWSER = process.env.CHROMIUM || '/usr/bin/chromium';
const WIDTHS = [390, 1280];
const OPEN_SESSION = '#operations-Device_and_media_sessions-createSession';

let server;
let browser;

before(async () => {
  server = await start({});
  // The pages are our own.
  browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// A page of the documentation in a browser of its own, in which nothing may fail.
async function open(width) {
  const context = await browser.newContext({ viewport: { width, height: 844 } });
  const page = await context.newPage();
  const failures = [];
  page.on('pageerror', (error) => failures.push(error.message));
  await page.goto(`${server.url}/docs`);
  await page.waitForSelector('.opblock-tag');
  return { page, failures, close: () => context.close() };
}

async function clickAll(page, selector) {
  for (const element of await page.$$(selector)) await element.click();
}

for (const width of WIDTHS) {
  test(`the root leads to the documentation, ${width} wide`, async () => {
    const { page, failures, close } = await open(width);
    await page.goto(server.url);
    await page.click('text=Documentation');
    await page.waitForSelector('.opblock-tag');
    assert.deepEqual(failures, []);
    await close();
  });

  test(`the dialogue of credentials opens at its top, ${width} wide`, async () => {
    const { page, failures, close } = await open(width);
    await page.click('button.authorize');
    await page.waitForFunction(() => document.activeElement === document.querySelector('.modal-ux-content input'));
    assert.equal(await page.$eval('.modal-ux-content', (content) => content.scrollTop), 0);
    assert.deepEqual(failures, []);
    await close();
  });

  test(`nothing is wider than the page, whatever is opened, ${width} wide`, async () => {
    const { page, failures, close } = await open(width);
    const tags = await page.$$eval('.opblock-tag', (tags) => tags.length);
    assert.ok(tags > 5);
    await clickAll(page, '.opblock-tag[data-is-open=false]');
    await page.click(`${OPEN_SESSION} .opblock-summary-control`);
    await page.click(`${OPEN_SESSION} .try-out__btn`);
    await page.waitForSelector(`${OPEN_SESSION} textarea`);
    const wide = await page.$$eval('#swagger-ui *', (elements) => {
      const beyond = (element) => element.getBoundingClientRect().right > window.innerWidth + 1;
      return elements.filter(beyond).map((element) => `${element.tagName} ${element.className}`);
    });
    assert.deepEqual(wide, []);
    assert.deepEqual(failures, []);
    await close();
  });
}

for (const [scheme, token, tag, operation, sent] of [
  ['jwt', 'a.b.c', 'Session management', 'apiRoot', 'JWT a.b.c'],
  ['jwt', 'JWT a.b.c', 'Session management', 'apiRoot', 'JWT a.b.c'],
  ['apiToken', 'f'.repeat(40), 'Session management', 'createNetworkTestSession', `Token ${'f'.repeat(40)}`],
  ['deviceToken', 'a.b.c', 'Device sessions', 'getDeviceSession', 'Bearer a.b.c'],
  ['deviceToken', 'Bearer a.b.c', 'Device sessions', 'getDeviceSession', 'Bearer a.b.c'],
]) {
  test(`${scheme}: ${token} is sent as ${sent}, also after a reload`, async () => {
    const { page, failures, close } = await open(1280);
    const credentials = [];
    page.on('request', (request) => {
      if (new URL(request.url()).pathname.startsWith('/api/')) credentials.push(request.headers().authorization);
    });
    await page.click('button.authorize');
    const form = page.locator('.auth-container', { has: page.locator('h4 code', { hasText: new RegExp(`^${scheme}$`) }) });
    await form.locator('input').fill(token);
    await form.locator('button.authorize').click();
    await page.click('.close-modal');
    const call = async () => {
      const block = `#operations-${tag.replaceAll(' ', '_')}-${operation}`;
      await clickAll(page, `.opblock-tag[data-tag="${tag}"][data-is-open=false]`);
      await page.click(`${block} .opblock-summary-control`);
      await page.click(`${block} .try-out__btn`);
      await page.click(`${block} .execute`);
      await page.waitForSelector(`${block} .live-responses-table`);
    };
    await call();
    await page.goto(`${server.url}/docs`);
    await page.reload();
    await page.waitForSelector('.opblock-tag');
    await call();
    assert.deepEqual(credentials, [sent, sent]);
    assert.deepEqual(failures, []);
    await close();
  });
}

test('either body that opens a session has an example', async () => {
  const { page, failures, close } = await open(1280);
  await clickAll(page, '.opblock-tag[data-tag="Device and media sessions"][data-is-open=false]');
  await page.click(`${OPEN_SESSION} .opblock-summary-control`);
  await page.waitForSelector(`${OPEN_SESSION} .opblock-section-request-body select`);
  const names = await page.$$eval(`${OPEN_SESSION} .opblock-section-request-body option`, (all) => all.map((one) => one.text));
  for (const name of ["A device's", "A back-end's"]) assert.ok(names.includes(name), String(names));
  assert.deepEqual(failures, []);
  await close();
});

test('a tag is found by any part of its name', async () => {
  const { page, failures, close } = await open(1280);
  const shown = async (phrase) => {
    await page.fill('.operation-filter-input', phrase);
    await page.waitForFunction(
      (phrase) => [...document.querySelectorAll('.opblock-tag')]
        .every((tag) => tag.dataset.tag.toLowerCase().includes(phrase)),
      phrase.toLowerCase(),
    );
    return page.$$eval('.opblock-tag', (tags) => tags.map((tag) => tag.dataset.tag));
  };
  assert.deepEqual(await shown('media'), ['Media sessions', 'Device and media sessions']);
  assert.deepEqual(await shown('CONV'), ['Conversations']);
  assert.deepEqual(failures, []);
  await close();
});
