'use strict';

// The official openvidu-node-client of the API below /openvidu/api, unmodified, against a local server:
// its first version, its last one, and two between them.

const assert = require('node:assert/strict');
const { after, before, describe } = require('node:test');
const greenroom = require('./greenroom');

// The clients report every call on the console. The newer ones keep the functions that they find when
// they are loaded.
console.log = () => {};
console.warn = () => {};

const VERSIONS = ['2.16.0', '2.22.0', '2.29.0', '2.32.2'];
// A colon in the secret: the user name ends at the first one.
const SECRET = 'MY:SECRET';
// Some of the clients' calls never settle when they cannot read an answer.
const OPTIONS = { timeout: 30_000 };
/** What a session is recorded with by default. */
const RECORDING = {
  name: '',
  hasAudio: true,
  hasVideo: true,
  outputMode: 'COMPOSED',
  recordingLayout: 'BEST_FIT',
  resolution: '1280x720',
  frameRate: 25,
  shmSize: 536870912,
};
/** Every Kurento option. */
const KURENTO = {
  videoMaxRecvBandwidth: 1000,
  videoMinRecvBandwidth: 0,
  videoMaxSendBandwidth: 900,
  videoMinSendBandwidth: 100,
  allowedFilters: ['GStreamerFilter', 'ZBarFilter'],
};

/** What JSON has of a value: no properties that are undefined. */
const plain = (value) => JSON.parse(JSON.stringify(value));
/** The clients raise nothing but the status. */
const refuses = (status, call) => assert.rejects(call, { message: String(status) });
const known = (ov, { sessionId }) => ov.activeSessions.find((session) => session.sessionId === sessionId);

/** Starts a server and describes tests for each version. */
function eachVersion(tests) {
  let server;
  before(async () => { server = await greenroom.start({ OPENVIDU_SECRET: SECRET }); });
  after(() => server?.stop());
  const url = () => server.url;
  for (const version of VERSIONS) {
    describe(`openvidu-node-client ${version}`, () => tests(using(version, url)));
  }
}

/** A version of the client: what it has, and how the tests use it. */
function using(version, url) {
  const library = require(`openvidu-node-client-${version}`);
  const minor = Number(version.split('.')[1]);
  const client = (secret = SECRET) => new library.OpenVidu(url(), secret);
  return {
    library,
    client,
    url,
    has: {
      // Before, it has three properties of a session in their place.
      recordingProperties: minor >= 18,
      iceServers: minor >= 21,
      broadcasts: minor >= 26,
      // 2.16.0 does not send the type of a connection.
      cameras: minor > 16,
      // 2.16.0 looks for it in the key that only requests have.
      serverData: minor > 16,
      // 2.16.0 leaves a session empty that it did not make itself.
      sessionsOfOthers: minor > 16,
    },
    /** An id that the other versions do not use. */
    own: (name) => `${name}-${version.replaceAll('.', '_')}`,
    /** A session as another client sees it. */
    elsewhere: async (session) => {
      const ov = client();
      await ov.fetch();
      return known(ov, session);
    },
  };
}

module.exports = { KURENTO, OPTIONS, RECORDING, SECRET, eachVersion, known, plain, refuses };
