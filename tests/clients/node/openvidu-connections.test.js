'use strict';

// Connections and tokens of the API below /openvidu/api.

const assert = require('node:assert/strict');
const { createHmac } = require('node:crypto');
const { describe, test } = require('node:test');
const { KURENTO, OPTIONS, eachVersion, refuses } = require('./openvidu');

eachVersion(({ library, has, client, elsewhere, url }) => {
  const { ConnectionType, OpenViduRole } = library;

  describe('connections', OPTIONS, () => {
    test('are pending publishers by default', async () => {
      const session = await client().createSession();
      await session.fetch();
      const connection = await session.createConnection();
      assert.match(connection.connectionId, /^con_[A-Za-z0-9]+$/);
      assert.equal(connection.status, 'pending');
      assert.ok(connection.createdAt >= session.createdAt);
      assert.equal(connection.role, OpenViduRole.PUBLISHER);
      const { type, record, role, kurentoOptions, rtspUri, customIceServers } = connection.connectionProperties;
      assert.deepEqual([type, record, role, kurentoOptions, rtspUri], ['WEBRTC', true, 'PUBLISHER', null, null]);
      assert.deepEqual(customIceServers, has.iceServers ? [] : undefined);
      assert.equal(connection.serverData, has.serverData ? '' : undefined);
      for (const key of ['activeAt', 'location', 'platform', 'clientData']) assert.equal(connection[key], null);

      const token = new URL(connection.token);
      assert.equal(token.protocol, 'wss:');
      assert.equal(token.host, new URL(url()).host);
      assert.deepEqual([...token.searchParams.keys()], ['sessionId', 'token']);
      assert.equal(token.searchParams.get('sessionId'), session.sessionId);
      assert.match(token.searchParams.get('token'), /^tok_[A-Za-z0-9]+$/);

      // The session knows the connection already, as the server answers it.
      assert.equal(await session.fetch(), false);
      assert.deepEqual(session.connections, [connection]);
      assert.deepEqual(session.activeConnections, []);
    });

    for (const role of Object.values(OpenViduRole)) {
      test(`of a ${role} keep what they were made with`, async () => {
        const session = await client().createSession();
        const data = JSON.stringify({ name: 'Zoë', role });
        const made = await session.createConnection({ role, data, record: false, kurentoOptions: KURENTO });
        const [seen] = (await elsewhere(session)).connections;
        for (const connection of [made, seen]) {
          assert.equal(connection.connectionProperties.role, role);
          assert.equal(connection.connectionProperties.record, false);
          assert.deepEqual(connection.connectionProperties.kurentoOptions, KURENTO);
          assert.equal(connection.serverData, has.serverData ? data : undefined);
        }
        assert.deepEqual(seen, made);
      });
    }

    test('keep some Kurento options, and an object without any', async () => {
      const session = await client().createSession();
      for (const kurentoOptions of [{ videoMinSendBandwidth: 300 }, {}]) {
        const { connectionProperties } = await session.createConnection({ kurentoOptions });
        assert.deepEqual(connectionProperties.kurentoOptions, kurentoOptions);
      }
    });

    test('keep ICE servers in the order given', { skip: !has.iceServers }, async () => {
      const session = await client().createSession();
      const customIceServers = [
        { url: 'turn:turn.example.com:3478?transport=tcp', username: 'user', credential: 'password' },
        { url: 'stun:[2001:db8::1]:3478' },
      ];
      const { connectionId, connectionProperties } = await session.createConnection({ customIceServers });
      assert.deepEqual(connectionProperties.customIceServers, customIceServers);
      // Out of the server's lists the client sorts them.
      await session.fetch();
      const [connection] = session.connections;
      assert.equal(connection.connectionId, connectionId);
      assert.deepEqual(connection.connectionProperties.customIceServers, [...customIceServers].reverse());
    });

    test('get the credential that a shared secret makes', { skip: !has.iceServers }, async () => {
      const session = await client().createSession();
      const customIceServers = [{ url: 'turns:turn.example.com', staticAuthSecret: 'shared secret' }];
      const { connectionProperties } = await session.createConnection({ customIceServers });
      const [{ url, username, credential, ...rest }] = connectionProperties.customIceServers;
      assert.equal(url, 'turns:turn.example.com');
      assert.match(username, /^[0-9]+:[A-Za-z0-9]{8}$/);
      const seconds = Number(username.split(':')[0]) - Date.now() / 1000;
      assert.ok(Math.abs(seconds - 24 * 3600) < 60, username);
      assert.equal(credential, createHmac('sha1', 'shared secret').update(username).digest('base64'));
      assert.deepEqual(rest, {});
    });

    test('are listed in the order they were made', async () => {
      const session = await client().createSession();
      const ids = [];
      for (let count = 0; count < 5; count += 1) ids.push((await session.createConnection()).connectionId);
      const seen = await elsewhere(session);
      assert.deepEqual(seen.connections.map(({ connectionId }) => connectionId), ids);
    });

    test('of what is not allowed are refused', async () => {
      const session = await client().createSession();
      const wrong = [{ role: 'OWNER' }, { data: 'x'.repeat(10_001) }, { record: 'yes' }, { kurentoOptions: 'none' },
        { kurentoOptions: { videoMaxRecvBandwidth: 'fast' } }];
      if (has.iceServers) {
        wrong.push({ customIceServers: 'none' }, { customIceServers: [{ url: 'https://turn.example.com' }] },
          { customIceServers: [{ url: 'turn:turn.example.com' }] });
      }
      for (const properties of wrong) await refuses(400, session.createConnection(properties));
      await session.fetch();
      assert.deepEqual(session.connections, []);
    });

    test('of an IP camera need a media server', { skip: !has.cameras }, async () => {
      const session = await client().createSession();
      const camera = { type: ConnectionType.IPCAM, rtspUri: 'rtsp://camera.example.com/1', networkCache: 1000 };
      await refuses(501, session.createConnection(camera));
      await refuses(400, session.createConnection({ ...camera, rtspUri: 'ftp://camera.example.com' }));
      await refuses(400, session.createConnection({ ...camera, type: 'CAMERA' }));
      await session.fetch();
      assert.deepEqual(session.connections, []);
    });
  });

  describe('updating a connection', OPTIONS, () => {
    test('changes role and record, and nothing else', async () => {
      const session = await client().createSession();
      const connection = await session.createConnection({ data: 'first' });
      const changes = { role: OpenViduRole.SUBSCRIBER, record: false, data: 'second' };
      const updated = await session.updateConnection(connection.connectionId, changes);
      assert.equal(updated.connectionProperties.role, OpenViduRole.SUBSCRIBER);
      assert.equal(updated.connectionProperties.record, false);

      // A client that does not know the connection reads it from the answer.
      const other = await elsewhere(session);
      other.connections = [];
      const answered = await other.updateConnection(connection.connectionId, { role: OpenViduRole.MODERATOR });
      const [seen] = (await elsewhere(session)).connections;
      assert.deepEqual(seen, answered);
      assert.equal(seen.role, OpenViduRole.MODERATOR);
      assert.equal(seen.connectionProperties.record, false);
      assert.equal(seen.serverData, has.serverData ? 'first' : undefined);
      assert.equal(seen.token, connection.token);
      assert.equal(seen.createdAt, connection.createdAt);
    });

    test('with nothing to change changes nothing', async () => {
      const session = await client().createSession();
      const { connectionId } = await session.createConnection();
      await session.fetch();
      await session.updateConnection(connectionId, {});
      await session.updateConnection(connectionId, { role: OpenViduRole.PUBLISHER, record: true });
      assert.equal(await session.fetch(), false);
    });

    test('to what is not allowed is refused', async () => {
      const session = await client().createSession();
      const { connectionId } = await session.createConnection();
      await refuses(400, session.updateConnection(connectionId, { role: 'OWNER' }));
      await refuses(400, session.updateConnection(connectionId, { record: 'yes' }));
      await refuses(404, session.updateConnection('con_unknown', { record: false }));
      await session.close();
      await refuses(404, session.updateConnection(connectionId, { record: false }));
    });
  });

  describe('tokens', OPTIONS, () => {
    for (const role of Object.values(OpenViduRole)) {
      test(`of a ${role} show as a connection`, async () => {
        const session = await client().createSession();
        const token = await session.generateToken({ role, data: 'Zoë', kurentoOptions: KURENTO });
        assert.deepEqual([...new URL(token).searchParams.keys()], ['sessionId', 'token']);
        assert.equal(await session.fetch(), true);
        const [connection] = session.connections;
        assert.equal(session.connections.length, 1);
        assert.equal(connection.token, token);
        assert.equal(connection.role, role);
        assert.equal(connection.status, 'pending');
        assert.equal(connection.serverData, has.serverData ? 'Zoë' : undefined);
        assert.equal(connection.connectionProperties.record, true);
        assert.deepEqual(connection.connectionProperties.kurentoOptions, KURENTO);
        assert.equal(await session.fetch(), false);
      });
    }

    test('are new at every call', async () => {
      const session = await client().createSession();
      assert.notEqual(await session.generateToken(), await session.generateToken());
    });

    test('of what is not allowed are refused', async () => {
      const session = await client().createSession();
      await refuses(400, session.generateToken({ role: 'OWNER' }));
      await refuses(400, session.generateToken({ data: 'x'.repeat(10_001) }));
      await refuses(400, session.generateToken({ kurentoOptions: 'none' }));
    });
  });

  describe('disconnecting', OPTIONS, () => {
    test('ends one connection', async () => {
      const session = await client().createSession();
      await session.createConnection();
      await session.createConnection();
      await session.fetch();
      const [gone, kept] = session.connections;
      await session.forceDisconnect(gone);
      assert.deepEqual(session.connections, [kept]);
      assert.equal(await session.fetch(), false);
      await refuses(404, session.forceDisconnect(gone));
      await session.forceDisconnect(kept.connectionId);
      await session.fetch();
      assert.deepEqual(session.connections, []);
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
});
