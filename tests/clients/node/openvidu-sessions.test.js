'use strict';

// Sessions, and the refusals, of the API below /openvidu/api.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { OPTIONS, RECORDING, eachVersion, known, plain, refuses } = require('./openvidu');

eachVersion(({ library, has, client, own, elsewhere }) => {
  const { MediaMode, Recording, RecordingLayout, RecordingMode, VideoCodec } = library;

  describe('creating a session', OPTIONS, () => {
    test('without properties', async () => {
      const ov = client();
      const session = await ov.createSession();
      assert.match(session.getSessionId(), /^ses_[A-Za-z0-9]+$/);
      assert.ok(Number.isInteger(session.createdAt));
      assert.ok(Math.abs(Date.now() - session.createdAt) < 60_000);
      assert.equal(known(ov, session), session);
      assert.equal(session.recording, false);
      assert.deepEqual(session.connections, []);
    });

    test('without properties has the defaults', { skip: !has.recordingProperties }, async () => {
      const session = await client().createSession();
      const defaults = {
        customSessionId: '',
        mediaMode: MediaMode.ROUTED,
        recordingMode: RecordingMode.MANUAL,
        defaultRecordingProperties: RECORDING,
        forcedVideoCodec: VideoCodec?.MEDIA_SERVER_PREFERRED,
        allowTranscoding: false,
      };
      assert.deepEqual(plain(session.properties), defaults);
      assert.deepEqual(plain((await elsewhere(session)).properties), defaults);
    });

    test('with every property', { skip: !has.recordingProperties }, async () => {
      // The client compares properties as text. In this order they are as it reads them from an answer.
      const properties = {
        customSessionId: own('every_property'),
        mediaMode: MediaMode.RELAYED,
        recordingMode: RecordingMode.ALWAYS,
        defaultRecordingProperties: {
          name: 'lecture-1~a',
          hasAudio: false,
          hasVideo: true,
          outputMode: Recording.OutputMode.COMPOSED_QUICK_START,
          recordingLayout: RecordingLayout.CUSTOM,
          resolution: '640x480',
          frameRate: 30,
          shmSize: 134217728,
          customLayout: 'layouts/lecture',
          mediaNode: { id: 'media_1' },
        },
        forcedVideoCodec: VideoCodec?.VP9,
        allowTranscoding: true,
      };
      const session = await client().createSession(structuredClone(properties));
      assert.equal(session.sessionId, properties.customSessionId);
      assert.deepEqual(plain(session.properties), properties);
      assert.equal(await session.fetch(), false);

      const seen = await elsewhere(session);
      assert.deepEqual(plain(seen.properties), properties);
      assert.equal(seen.createdAt, session.createdAt);
      assert.equal(seen.recording, false);
      assert.equal(seen.broadcasting, has.broadcasts ? false : undefined);
    });

    test('with the properties of 2.16', { skip: has.recordingProperties }, async () => {
      const session = await client().createSession({
        customSessionId: own('every_property'),
        mediaMode: MediaMode.RELAYED,
        recordingMode: RecordingMode.ALWAYS,
        defaultOutputMode: Recording.OutputMode.COMPOSED_QUICK_START,
        defaultRecordingLayout: RecordingLayout.CUSTOM,
        defaultCustomLayout: 'layouts/lecture',
      });
      const seen = await elsewhere(session);
      assert.equal(seen.properties.customSessionId, own('every_property'));
      assert.equal(seen.properties.mediaMode, MediaMode.RELAYED);
      assert.equal(seen.properties.recordingMode, RecordingMode.ALWAYS);
      assert.equal(seen.createdAt, session.createdAt);
    });

    test('on a media node', { skip: !has.recordingProperties }, async () => {
      const session = await client().createSession({ mediaNode: { id: 'media_2' } });
      assert.deepEqual(session.properties.mediaNode, { id: 'media_2' });
    });

    for (const outputMode of Object.values(Recording.OutputMode)) {
      test(`with output mode ${outputMode}`, { skip: !has.recordingProperties }, async () => {
        const session = await client().createSession({ defaultRecordingProperties: { outputMode } });
        const { name, hasAudio, hasVideo } = RECORDING;
        // Where there is nothing to lay out, no layout is told.
        const expected = outputMode === Recording.OutputMode.INDIVIDUAL
          ? { name, hasAudio, hasVideo, outputMode, ignoreFailedStreams: false }
          : { ...RECORDING, outputMode };
        const seen = await elsewhere(session);
        assert.deepEqual(plain(seen.properties.defaultRecordingProperties), expected);
      });
    }

    test('with a custom id that is live resolves to that session', async () => {
      const first = await client().createSession({ customSessionId: own('taken') });
      const second = await client().createSession({ customSessionId: own('taken') });
      assert.equal(second.sessionId, own('taken'));
      // Only the later versions read the session that there is.
      assert.equal(second.createdAt, has.sessionsOfOthers ? first.createdAt : undefined);
      await second.fetch();
      assert.equal(second.createdAt, first.createdAt);
      const { token } = await second.createConnection();
      assert.equal(new URL(token).searchParams.get('sessionId'), own('taken'));
    });

    test('in a race for a custom id makes one session', async () => {
      const racers = Array.from({ length: 8 }, () => client().createSession({ customSessionId: own('raced') }));
      const sessions = await Promise.all(racers);
      await Promise.all(sessions.map((session) => session.fetch()));
      assert.equal(new Set(sessions.map(({ createdAt }) => createdAt)).size, 1);
      const ov = client();
      await ov.fetch();
      assert.equal(ov.activeSessions.filter(({ sessionId }) => sessionId === own('raced')).length, 1);
    });

    test('with what is not allowed is refused', async () => {
      await refuses(400, client().createSession({ customSessionId: 'not/allowed' }));
      await refuses(400, client().createSession({ mediaMode: 'DIRECT' }));
      await refuses(400, client().createSession({ recordingMode: 'always' }));
      await refuses(400, client().createSession({ recordingMode: 7 }));
    });

    test('with recording properties that are not allowed is refused', async () => {
      const wrong = has.recordingProperties
        ? [{ outputMode: 'MOSAIC' }, { recordingLayout: 7 }, { resolution: '99x720' }, { frameRate: 121 },
          { hasAudio: false, hasVideo: false }, { name: 'not/allowed' }, { shmSize: 1 }, { hasAudio: 'yes' }]
          .map((defaultRecordingProperties) => ({ defaultRecordingProperties }))
        : [{ defaultOutputMode: 'MOSAIC' }, { defaultRecordingLayout: 7 }];
      for (const properties of wrong) await refuses(400, client().createSession(properties));
    });

    test('with another codec is refused', { skip: !has.recordingProperties }, async () => {
      await refuses(400, client().createSession({ forcedVideoCodec: 'AV1' }));
      await refuses(400, client().createSession({ allowTranscoding: 'yes' }));
    });
  });

  describe('fetching sessions', OPTIONS, () => {
    test('changes nothing when nothing has changed', async () => {
      const ov = client();
      const session = await ov.createSession();
      await session.createConnection();
      await ov.fetch();
      await session.fetch();
      assert.equal(await session.fetch(), false);
      // 2.16 compares the defaults of its own properties, which answers no longer have.
      if (has.recordingProperties) assert.equal(await ov.fetch(), false);
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
      const there = client();
      const session = await client().createSession();
      const first = await there.fetchWebRtc();
      assert.equal(first.sessionChanges[session.sessionId], true);
      // Statistics are of participants, and nobody has joined.
      assert.deepEqual(known(there, session).connections, []);
      const second = await there.fetchWebRtc();
      assert.equal(second.sessionChanges[session.sessionId], false);
    });

    test('lists them in the order they were made', async () => {
      const made = [];
      for (let count = 0; count < 5; count += 1) made.push((await client().createSession()).sessionId);
      const ov = client();
      await ov.fetch();
      const listed = ov.activeSessions.map(({ sessionId }) => sessionId);
      assert.deepEqual(listed.filter((id) => made.includes(id)), made);
    });
  });

  describe('closing', OPTIONS, () => {
    test('ends a session once', async () => {
      const ov = client();
      const session = await ov.createSession();
      await session.createConnection();
      await session.close();
      assert.equal(known(ov, session), undefined);
      await refuses(404, session.close());
      await refuses(404, session.fetch());
      await refuses(404, session.createConnection());
      await refuses(404, session.generateToken());
    });

    test('frees a custom id', async () => {
      const first = await client().createSession({ customSessionId: own('again') });
      await first.createConnection();
      await first.close();
      const second = await client().createSession({ customSessionId: own('again') });
      assert.equal(second.sessionId, own('again'));
      assert.ok(second.createdAt >= first.createdAt);
      await second.fetch();
      assert.deepEqual(second.connections, []);
    });
  });

  test('a wrong secret is refused everywhere', OPTIONS, async () => {
    const session = await client().createSession();
    const { connectionId } = await session.createConnection();
    const stranger = client('MY');
    await refuses(401, stranger.createSession());
    await refuses(401, stranger.fetch());
    await refuses(401, stranger.fetchWebRtc());
    await refuses(401, stranger.listRecordings());
    session.ov = stranger;
    await refuses(401, session.fetch());
    await refuses(401, session.createConnection());
    await refuses(401, session.updateConnection(connectionId, { record: false }));
    await refuses(401, session.generateToken());
    await refuses(401, session.forceDisconnect(connectionId));
    await refuses(401, session.forceUnpublish('str_unknown'));
    await refuses(401, session.close());
  });

  test('recordings and broadcasts need a media server', OPTIONS, async () => {
    const ov = client();
    const { sessionId } = await ov.createSession();
    await refuses(501, ov.startRecording(sessionId));
    await refuses(501, ov.startRecording(sessionId, 'name'));
    await refuses(501, ov.startRecording(sessionId, { name: 'name', hasAudio: true, hasVideo: true }));
    await refuses(501, ov.stopRecording('rec_unknown'));
    await refuses(501, ov.getRecording('rec_unknown'));
    await refuses(501, ov.listRecordings());
    await refuses(501, ov.deleteRecording('rec_unknown'));
    if (has.broadcasts) {
      await refuses(501, ov.startBroadcast(sessionId, 'rtmp://live.example.com/1'));
      await refuses(501, ov.stopBroadcast(sessionId));
    }
  });
});
