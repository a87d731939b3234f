'use strict';

// openvidu-node-client 2.15.0, unmodified, against a local server.

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');
const {
  MediaMode, OpenVidu, OpenViduRole, Recording, RecordingLayout, RecordingMode,
} = require('openvidu-node-client');
const greenroom = require('./greenroom');

// A colon in the secret: the user name ends at the first one.
const SECRET = 'MY:SECRET';
// Some of the client's calls never settle when they cannot read an answer.
const OPTIONS = { timeout: 30_000 };

let server;
before(async () => { server = await greenroom.start({ OPENVIDU_SECRET: SECRET }); });
after(() => server?.stop());

// The client reports every call on the console.
console.log = () => {};
console.warn = () => {};

const client = (secret = SECRET) => new OpenVidu(server.url, secret);
/** A client reads a custom layout, or that there is no layout, only when it meets a session again. */
const acquainted = async () => {
  const ov = client();
  await ov.fetch();
  await ov.fetch();
  return ov;
};
/** The client raises nothing but the status. */
const refuses = (status, call) => assert.rejects(call, { message: String(status) });
const known = (ov, { sessionId }) => ov.activeSessions.find((session) => session.sessionId === sessionId);

describe('creating a session', OPTIONS, () => {
  test('without properties', async () => {
    const ov = client();
    const session = await ov.createSession();
    assert.match(session.getSessionId(), /^ses_[A-Za-z0-9]+$/);
    assert.ok(Number.isInteger(session.createdAt));
    assert.ok(Math.abs(Date.now() - session.createdAt) < 60_000);
    assert.equal(known(ov, session), session);
  });

  test('with every property', async () => {
    const properties = {
      mediaMode: MediaMode.RELAYED,
      recordingMode: RecordingMode.ALWAYS,
      defaultOutputMode: Recording.OutputMode.COMPOSED,
      defaultRecordingLayout: RecordingLayout.CUSTOM,
      defaultCustomLayout: 'layouts/lecture',
      customSessionId: 'every_property-1',
    };
    const session = await client().createSession({ ...properties });
    assert.equal(session.sessionId, 'every_property-1');

    const other = await acquainted();
    const seen = known(other, session);
    assert.deepEqual(seen.properties, properties);
    assert.equal(seen.createdAt, session.createdAt);
    assert.equal(seen.recording, false);
    assert.deepEqual(seen.activeConnections, []);
  });

  for (const mode of Object.values(Recording.OutputMode)) {
    test(`with output mode ${mode}`, async () => {
      const session = await client().createSession({ defaultOutputMode: mode });
      // The client compares properties as text, in the order they were given: the first fetch differs.
      assert.equal(await session.fetch(), true);
      assert.equal(session.properties.defaultOutputMode, mode);
      // Where there is nothing to lay out, no layout is told.
      assert.equal(session.properties.defaultRecordingLayout, mode === 'INDIVIDUAL' ? undefined : 'BEST_FIT');
      assert.equal(await session.fetch(), false);
    });
  }

  test('with a custom id that is live resolves to that session', async () => {
    const first = await client().createSession({ customSessionId: 'taken' });
    const second = await client().createSession({ customSessionId: 'taken' });
    assert.equal(second.sessionId, 'taken');
    assert.equal(second.createdAt, undefined);
    await second.fetch();
    assert.equal(second.createdAt, first.createdAt);
    assert.match(await second.generateToken(), /sessionId=taken&/);
  });

  test('in a race for a custom id makes one session', async () => {
    const racers = Array.from({ length: 8 }, () => client().createSession({ customSessionId: 'raced' }));
    const sessions = await Promise.all(racers);
    assert.equal(sessions.filter((session) => session.createdAt !== undefined).length, 1);
    const ov = client();
    await ov.fetch();
    assert.equal(ov.activeSessions.filter((session) => session.sessionId === 'raced').length, 1);
  });

  test('with what is not allowed is refused', async () => {
    await refuses(400, client().createSession({ customSessionId: 'not/allowed' }));
    await refuses(400, client().createSession({ mediaMode: 'DIRECT' }));
    await refuses(400, client().createSession({ recordingMode: 'always' }));
    await refuses(400, client().createSession({ defaultRecordingLayout: 7 }));
  });
});

describe('fetching sessions', OPTIONS, () => {
  test('changes nothing when nothing has changed', async () => {
    const ov = await acquainted();
    await ov.createSession();
    await ov.createSession();
    assert.equal(await ov.fetch(), false);
    assert.equal(await ov.activeSessions[0].fetch(), false);
  });

  test('shows what another client made and closed', async () => {
    const [here, there] = [client(), client()];
    await there.fetch();
    const session = await here.createSession();
    assert.equal(await there.fetch(), true);
    assert.equal(known(there, session).createdAt, session.createdAt);
    await known(there, session).close();
    assert.equal(await here.fetch(), true);
    assert.equal(known(here, session), undefined);
  });

  test('with WebRTC statistics answers the same sessions', async () => {
    const [here, there] = [client(), client()];
    const session = await here.createSession();
    await session.generateToken();
    const first = await there.fetchWebRtc();
    assert.equal(first.sessionChanges[session.sessionId], true);
    assert.equal(known(there, session).activeConnections.length, 1);
    const second = await there.fetchWebRtc();
    assert.equal(second.sessionChanges[session.sessionId], false);
  });
});

describe('tokens', OPTIONS, () => {
  test('are publishers by default', async () => {
    const session = await client().createSession();
    const token = new URL(await session.generateToken());
    assert.equal(token.protocol, 'wss:');
    assert.equal(token.host, new URL(server.url).host);
    assert.deepEqual([...token.searchParams.keys()], ['sessionId', 'token', 'role', 'version']);
    assert.equal(token.searchParams.get('sessionId'), session.sessionId);
    assert.match(token.searchParams.get('token'), /^tok_[A-Za-z0-9]+$/);
    assert.equal(token.searchParams.get('role'), 'PUBLISHER');
    assert.equal(token.searchParams.get('version'), '2.15.0');
  });

  for (const role of Object.values(OpenViduRole)) {
    test(`of a ${role} show as a connection with its data`, async () => {
      const session = await client().createSession();
      const data = JSON.stringify({ name: 'Zoë', role });
      const kurentoOptions = { videoMaxRecvBandwidth: 1000, allowedFilters: ['GStreamerFilter'] };
      const token = await session.generateToken({ role, data, kurentoOptions });
      assert.equal(new URL(token).searchParams.get('role'), role);

      assert.equal(await session.fetch(), true);
      const [connection] = session.activeConnections;
      assert.equal(session.activeConnections.length, 1);
      assert.match(connection.connectionId, /^con_[A-Za-z0-9]+$/);
      assert.ok(connection.createdAt >= session.createdAt);
      assert.equal(connection.token, token);
      assert.equal(connection.role, role);
      assert.equal(connection.serverData, data);
      assert.deepEqual(connection.publishers, []);
      assert.deepEqual(connection.subscribers, []);
      assert.equal(await session.fetch(), false);
    });
  }

  test('are new at every call and listed in the order they were made', async () => {
    const session = await client().createSession();
    const tokens = [];
    for (let count = 0; count < 5; count += 1) tokens.push(await session.generateToken());
    assert.equal(new Set(tokens).size, 5);
    await session.fetch();
    assert.deepEqual(session.activeConnections.map(({ token }) => token), tokens);
  });

  test('of another role or with too much data are refused', async () => {
    const session = await client().createSession();
    await refuses(400, session.generateToken({ role: 'OWNER' }));
    await refuses(400, session.generateToken({ data: 'x'.repeat(10_001) }));
    await refuses(400, session.generateToken({ kurentoOptions: 'none' }));
  });
});

describe('disconnecting', OPTIONS, () => {
  test('ends one connection', async () => {
    const session = await client().createSession();
    await session.generateToken({ data: 'goes' });
    await session.generateToken({ data: 'stays' });
    await session.fetch();
    const [gone, kept] = session.activeConnections;
    await session.forceDisconnect(gone);
    assert.deepEqual(session.activeConnections, [kept]);
    assert.equal(await session.fetch(), false);
    await refuses(404, session.forceDisconnect(gone));
    await session.forceDisconnect(kept.connectionId);
    await session.fetch();
    assert.deepEqual(session.activeConnections, []);
  });

  test('of what there is not is refused', async () => {
    const session = await client().createSession();
    await refuses(404, session.forceDisconnect('con_unknown'));
    await refuses(404, session.forceUnpublish('str_unknown'));
    await session.close();
    await refuses(400, session.forceDisconnect('con_unknown'));
    await refuses(400, session.forceUnpublish('str_unknown'));
  });
});

describe('closing', OPTIONS, () => {
  test('ends a session once', async () => {
    const ov = client();
    const session = await ov.createSession();
    await session.generateToken();
    await session.close();
    assert.equal(known(ov, session), undefined);
    await refuses(404, session.close());
    await refuses(404, session.fetch());
    await refuses(404, session.generateToken());
  });

  test('frees a custom id', async () => {
    const first = await client().createSession({ customSessionId: 'again' });
    await first.generateToken();
    await first.close();
    const second = await client().createSession({ customSessionId: 'again' });
    assert.equal(second.sessionId, 'again');
    assert.ok(second.createdAt >= first.createdAt);
    await second.fetch();
    assert.deepEqual(second.activeConnections, []);
  });
});

test('a wrong secret is refused everywhere', OPTIONS, async () => {
  const session = await client().createSession();
  const stranger = client('MY');
  await refuses(401, stranger.createSession());
  await refuses(401, stranger.fetch());
  await refuses(401, stranger.fetchWebRtc());
  session.ov = stranger;
  await refuses(401, session.fetch());
  await refuses(401, session.generateToken());
  await refuses(401, session.forceDisconnect('con_unknown'));
  await refuses(401, session.forceUnpublish('str_unknown'));
  await refuses(401, session.close());
});

test('recordings are not served', OPTIONS, async () => {
  const ov = client();
  const { sessionId } = await ov.createSession();
  await refuses(501, ov.startRecording(sessionId, 'name'));
  await refuses(501, ov.stopRecording('rec_unknown'));
  await refuses(501, ov.getRecording('rec_unknown'));
  await refuses(501, ov.listRecordings());
  await refuses(501, ov.deleteRecording('rec_unknown'));
});
