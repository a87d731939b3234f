"""A participant with a real client: publishes a sine, listens, and says when and why it was put out."""

import asyncio
import threading
import time

import aiohttp
import numpy
from livekit import rtc

LIMIT = 10
RATE = 48_000
FRAME = RATE // 100
PITCH = 440
# A sine of half the full scale has 11,585. What is decoded first is quieter.
LOUD = 1_000

REMOVED = rtc.DisconnectReason.PARTICIPANT_REMOVED
ROOM_DELETED = rtc.DisconnectReason.ROOM_DELETED
# Who is put out while the client connects is not told why.
REFUSED = "refused"

LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, daemon=True).start()


def run(coroutine, limit=LIMIT):
    """The outcome of a coroutine in the loop that all participants share. It is given up after `limit` seconds."""
    future = asyncio.run_coroutine_threadsafe(coroutine, LOOP)
    try:
        return future.result(limit)
    finally:
        future.cancel()


def until(what, condition, limit=LIMIT):
    """Waits until a condition holds, and returns what it found. Fails when it does not within `limit` seconds."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {limit} s: {what}"
        time.sleep(0.01)
    return found


def sine():
    """Frames of 10 ms for ever."""
    wave = numpy.sin(numpy.arange(RATE) * (2 * numpy.pi * PITCH / RATE)) * 16_384
    parts = wave.astype(numpy.int16).reshape(-1, FRAME)
    while True:
        for part in parts:
            yield rtc.AudioFrame(part.tobytes(), RATE, 1, FRAME)


class Participant:
    """Somebody with this token, not yet connected."""

    def __init__(self, url, token):
        self.url, self.token = url, token
        self.reason = None
        # Seconds of one clock, for measuring.
        self.began_at = self.connected_at = self.out_at = None
        # The loudness of the last frame, and for how many seconds something was heard.
        self.level = self.heard = 0
        self.tasks = set()
        self.streams = {}
        self.room = None

    def connect(self):
        run(self._connect())
        return self

    async def _connect(self):
        room = self.room = rtc.Room(loop=LOOP)
        room.on("disconnected", self._disconnected)
        room.on("track_subscribed", lambda track, *_: self._start(self._listen(track)))
        room.on("track_unsubscribed", lambda track, *_: self._start(self._close(track.sid)))
        self.began_at = time.perf_counter()
        await room.connect(self.url, self.token, rtc.RoomOptions(connect_timeout=LIMIT))
        self.connected_at = time.perf_counter()

    def _start(self, coroutine):
        task = LOOP.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _disconnected(self, reason):
        self.out_at, self.reason = time.perf_counter(), reason
        for sid in list(self.streams):
            self._start(self._close(sid))

    async def _listen(self, track):
        stream = self.streams[track.sid] = rtc.AudioStream(track, sample_rate=RATE, num_channels=1)
        async for event in stream:
            frame = numpy.frombuffer(event.frame.data, numpy.int16).astype(numpy.float64)
            self.level = float(numpy.sqrt(numpy.mean(frame**2)))
            if self.level > LOUD:
                self.heard += event.frame.duration

    async def _close(self, sid):
        """A stream does not end with its track."""
        stream = self.streams.pop(sid, None)
        if stream:
            await stream.aclose()
        self.level = 0

    @property
    def identity(self):
        return self.room.local_participant.identity

    @property
    def is_out(self):
        return self.reason is not None

    def publish(self, source=rtc.TrackSource.SOURCE_MICROPHONE, limit=LIMIT):
        """Publishes a sine until the participant leaves. Returns the id of the track."""
        return run(self._publish(source), limit)

    async def _publish(self, source):
        audio = rtc.AudioSource(RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("sine", audio)
        publication = await self.room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=source))
        self._start(self._play(audio))
        return publication.sid

    async def _play(self, audio):
        for frame in sine():
            if self.is_out:
                break
            # Waits while the buffer is full.
            await audio.capture_frame(frame)
        await audio.aclose()

    def unpublish(self, sid):
        run(self.room.local_participant.unpublish_track(sid))

    def hears(self):
        """Waits until a sound is heard that is no click."""
        before = self.heard
        until("a sound", lambda: self.heard - before >= 0.1)

    def put_out(self, limit=LIMIT):
        """Waits until somebody else ends the connection, and returns the reason."""
        until("out", lambda: self.is_out, limit)
        return self.reason

    def comes_back(self):
        """Begins to connect again with the same token. Returns the participant who does."""
        again = Participant(self.url, self.token)
        LOOP.call_soon_threadsafe(again._start, again._try())
        return again

    async def _try(self):
        try:
            await self._connect()
        except rtc.ConnectError:
            self._disconnected(REFUSED)

    def leave(self):
        if self.room:
            run(self.room.disconnect())


class Lurker:
    """Somebody who opens the WebSocket only. The server shows them the names, and tells no webhook of them."""

    def __init__(self, url, token):
        self.address = f"{url}/rtc?access_token={token}&protocol=15&sdk=python"
        self.is_out = False

    def connect(self):
        joined = asyncio.Event()
        LOOP.call_soon_threadsafe(lambda: setattr(self, "task", LOOP.create_task(self._lurk(joined))))
        run(joined.wait())
        return self

    async def _lurk(self, joined):
        async with aiohttp.ClientSession() as session, session.ws_connect(self.address) as socket:
            async for _ in socket:
                joined.set()
        self.is_out = True

    def leave(self):
        LOOP.call_soon_threadsafe(self.task.cancel)
