'use strict';

// One session below /api, with openvidu-node-client 2.15.0, and below /openvidu/api, with later ones.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { OpenVidu } = require('openvidu-node-client');
const { KURENTO, OPTIONS, RECORDING, SECRET, eachVersion, known, plain, refuses } = require('./openvidu');

eachVersion(({ library, has, client, own, elsewhere, url }) => {
  const { MediaMode, OpenViduRole, Recording, RecordingLayout, RecordingMode } = library;
  const older = () => new OpenVidu(url(), SECRET);
  /** A session as a client of 2.15 sees it. It reads a custom layout only when it meets a session again. */
  const belowApi = async (session) => {
    const ov = older();
    await ov.fetch();
    await ov.fetch();
    return known(ov, session);
  };

  describe('a session of 2.15', OPTIONS, () => {
    test('has the recording properties that 2.15 does not know', async () => {
      const session = await older().createSession({
        customSessionId: own('from_api'),
        mediaMode: MediaMode.RELAYED,
        recordingMode: RecordingMode.ALWAYS,
        defaultOutputMode: Recording.OutputMode.COMPOSED,
        defaultRecordingLayout: RecordingLayout.CUSTOM,
        defaultCustomLayout: 'layouts/lecture',
      });
      const seen = await elsewhere(session);
      assert.equal(seen.createdAt, session.createdAt);
      assert.equal(seen.properties.mediaMode, MediaMode.RELAYED);
      assert.equal(seen.properties.recordingMode, RecordingMode.ALWAYS);
      assert.equal(seen.properties.customSessionId, own('from_api'));
      if (has.recordingProperties) {
        const layout = { recordingLayout: RecordingLayout.CUSTOM, customLayout: 'layouts/lecture' };
        const { defaultRecordingProperties, forcedVideoCodec, allowTranscoding } = plain(seen.properties);
        assert.deepEqual(defaultRecordingProperties, { ...RECORDING, ...layout });
        assert.deepEqual([forcedVideoCodec, allowTranscoding], ['MEDIA_SERVER_PREFERRED', false]);
      }
    });

    for (const role of Object.values(OpenViduRole)) {
      test(`has a connection for the token of a ${role}`, async () => {
        const session = await older().createSession();
        const token = await session.generateToken({ role, data: 'Zoë', kurentoOptions: KURENTO });
        const [connection] = (await elsewhere(session)).connections;
        assert.equal(connection.token, token);
        assert.deepEqual([...new URL(token).searchParams.keys()], ['sessionId', 'token', 'role', 'version']);
        assert.equal(connection.status, 'pending');
        assert.equal(connection.role, role);
        assert.equal(connection.serverData, has.serverData ? 'Zoë' : undefined);
        assert.equal(connection.connectionProperties.type, 'WEBRTC');
        assert.equal(connection.connectionProperties.record, true);
        assert.deepEqual(connection.connectionProperties.kurentoOptions, KURENTO);
        assert.deepEqual(connection.connectionProperties.customIceServers, has.iceServers ? [] : undefined);
      });
    }

    test('has those Kurento options that have their types', async () => {
      const session = await older().createSession();
      const kurentoOptions = { videoMaxRecvBandwidth: 'fast', videoMinRecvBandwidth: 0, codec: 1 };
      await session.generateToken({ kurentoOptions });
      const [{ connectionProperties }] = (await elsewhere(session)).connections;
      assert.deepEqual(connectionProperties.kurentoOptions, { videoMinRecvBandwidth: 0 });
    });

    test('takes connections, changes them and ends', async () => {
      const session = await older().createSession();
      const seen = await elsewhere(session);
      const connection = await seen.createConnection({ role: OpenViduRole.SUBSCRIBER, data: 'Zoë' });
      await session.fetch();
      const [active] = session.activeConnections;
      assert.equal(active.connectionId, connection.connectionId);
      assert.equal(active.createdAt, connection.createdAt);
      assert.equal(active.token, connection.token);
      assert.equal(active.serverData, 'Zoë');
      assert.equal(active.role, OpenViduRole.SUBSCRIBER);

      await seen.updateConnection(connection.connectionId, { role: OpenViduRole.MODERATOR });
      assert.equal(await session.fetch(), true);
      assert.equal(session.activeConnections[0].role, OpenViduRole.MODERATOR);
      assert.equal(session.activeConnections[0].token, connection.token);

      await seen.forceDisconnect(connection);
      await refuses(404, session.forceDisconnect(connection.connectionId));
      await seen.close();
      await refuses(404, session.fetch());
    });
  });

  describe('a session of this version', OPTIONS, () => {
    test('has the properties that 2.15 knows', async () => {
      const properties = has.recordingProperties
        ? {
          defaultRecordingProperties: {
            outputMode: Recording.OutputMode.COMPOSED_QUICK_START,
            recordingLayout: RecordingLayout.CUSTOM,
            customLayout: 'layouts/lecture',
          },
        }
        : {
          defaultOutputMode: Recording.OutputMode.COMPOSED_QUICK_START,
          defaultRecordingLayout: RecordingLayout.CUSTOM,
          defaultCustomLayout: 'layouts/lecture',
        };
      const session = await client().createSession({ mediaMode: MediaMode.RELAYED, ...properties });
      const seen = await belowApi(session);
      assert.equal(seen.createdAt, session.createdAt);
      assert.equal(seen.recording, false);
      assert.deepEqual(plain(seen.properties), {
        mediaMode: 'RELAYED',
        recordingMode: 'MANUAL',
        defaultOutputMode: 'COMPOSED_QUICK_START',
        defaultRecordingLayout: 'CUSTOM',
        defaultCustomLayout: 'layouts/lecture',
      });
    });

    test('gives tokens to 2.15, and ends there', async () => {
      const session = await client().createSession();
      const seen = await belowApi(session);
      const token = await seen.generateToken({ role: OpenViduRole.SUBSCRIBER });
      assert.equal(new URL(token).searchParams.get('version'), '2.15.0');
      await session.fetch();
      const [connection] = session.connections;
      assert.equal(connection.token, token);

      await seen.forceDisconnect(connection.connectionId);
      await refuses(404, session.forceDisconnect(connection));
      await refuses(404, session.updateConnection(connection.connectionId, { record: false }));
      await seen.close();
      await refuses(404, session.fetch());
    });
  });

  describe('a custom id', OPTIONS, () => {
    test('that is live is taken in both', async () => {
      const first = await older().createSession({ customSessionId: own('older_first') });
      const second = await client().createSession({ customSessionId: own('older_first') });
      await second.fetch();
      assert.equal(second.createdAt, first.createdAt);

      const third = await client().createSession({ customSessionId: own('newer_first') });
      const fourth = await older().createSession({ customSessionId: own('newer_first') });
      assert.equal(fourth.createdAt, undefined);
      await fourth.fetch();
      assert.equal(fourth.createdAt, third.createdAt);
    });

    test('that both want makes one session', async () => {
      const clients = Array.from({ length: 8 }, (_, index) => (index % 2 ? client() : older()));
      const racers = clients.map((ov) => ov.createSession({ customSessionId: own('raced') }));
      const sessions = await Promise.all(racers);
      await Promise.all(sessions.map((session) => session.fetch()));
      assert.equal(new Set(sessions.map(({ createdAt }) => createdAt)).size, 1);
      const [newer, old] = [client(), older()];
      await Promise.all([newer.fetch(), old.fetch()]);
      for (const { activeSessions } of [newer, old]) {
        assert.equal(activeSessions.filter(({ sessionId }) => sessionId === own('raced')).length, 1);
      }
    });

    test('is free when its session ends in the other', async () => {
      const first = await client().createSession({ customSessionId: own('again') });
      await (await belowApi(first)).close();
      const second = await client().createSession({ customSessionId: own('again') });
      await second.fetch();
      assert.ok(second.createdAt >= first.createdAt);
      assert.deepEqual(second.connections, []);
    });
  });
});
