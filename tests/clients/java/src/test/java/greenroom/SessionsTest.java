package greenroom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.openvidu.java.client.Connection;
import io.openvidu.java.client.MediaMode;
import io.openvidu.java.client.OpenVidu;
import io.openvidu.java.client.Recording.OutputMode;
import io.openvidu.java.client.RecordingLayout;
import io.openvidu.java.client.RecordingMode;
import io.openvidu.java.client.RecordingProperties;
import io.openvidu.java.client.Session;
import io.openvidu.java.client.SessionProperties;
import io.openvidu.java.client.VideoCodec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sessions of the API below /openvidu/api, and what is refused there. */
class SessionsTest extends OpenViduClient {
    @Test
    void aSessionWithoutProperties() throws Exception {
        OpenVidu openVidu = client();
        Session session = openVidu.createSession();
        assertTrue(session.getSessionId().matches("ses_[A-Za-z0-9]+"), session.getSessionId());
        assertTrue(Math.abs(System.currentTimeMillis() - session.createdAt()) < 60_000);
        assertEquals(VideoCodec.MEDIA_SERVER_PREFERRED, session.getProperties().forcedVideoCodec());
        assertFalse(session.getProperties().isTranscodingAllowed());
        assertEquals(session, openVidu.getActiveSession(session.getSessionId()));

        Session seen = elsewhere(session);
        assertEquals(session.createdAt(), seen.createdAt());
        assertEquals(MediaMode.ROUTED, seen.getProperties().mediaMode());
        assertEquals(RecordingMode.MANUAL, seen.getProperties().recordingMode());
        assertEquals("", seen.getProperties().customSessionId());
        RecordingProperties recording = seen.getProperties().defaultRecordingProperties();
        assertEquals(new RecordingProperties.Builder().build().toJson(), recording.toJson());
        assertFalse(seen.isBeingRecorded() || seen.isBeingBroadcasted());
        assertEquals(List.of(), seen.getConnections());
    }

    @Test
    void aSessionWithEveryProperty() throws Exception {
        RecordingProperties recording = new RecordingProperties.Builder()
                .name("lecture-1~a")
                .hasAudio(false)
                .outputMode(OutputMode.COMPOSED_QUICK_START)
                .recordingLayout(RecordingLayout.CUSTOM)
                .customLayout("layouts/lecture")
                .resolution("640x480")
                .frameRate(30)
                .shmSize(134217728)
                .mediaNode("media_1")
                .build();
        SessionProperties properties = new SessionProperties.Builder()
                .customSessionId("every_property-1")
                .mediaMode(MediaMode.RELAYED)
                .recordingMode(RecordingMode.ALWAYS)
                .defaultRecordingProperties(recording)
                .forcedVideoCodec(VideoCodec.VP9)
                .allowTranscoding(true)
                .build();
        Session session = client().createSession(properties);
        assertEquals("every_property-1", session.getSessionId());
        // The server answers with what the client has sent.
        assertFalse(session.fetch());
        assertEquals(properties.toJson(), elsewhere(session).getProperties().toJson());
    }

    @ParameterizedTest
    @EnumSource(OutputMode.class)
    void theRecordingPropertiesOfAnOutputMode(OutputMode mode) throws Exception {
        RecordingProperties recording = new RecordingProperties.Builder().outputMode(mode).build();
        Session session = client().createSession(recorded(recording));
        assertFalse(session.fetch());
        RecordingProperties seen = elsewhere(session).getProperties().defaultRecordingProperties();
        assertEquals(recording.toJson(), seen.toJson());
    }

    @Test
    void aSessionOnAMediaNode() throws Exception {
        SessionProperties properties = new SessionProperties.Builder().mediaNode("media_2").build();
        String path = "/openvidu/api/sessions/" + client().createSession(properties).getSessionId();
        JsonObject mediaNode = send("GET", path, "").getAsJsonObject("mediaNode");
        assertEquals("{\"id\":\"media_2\"}", mediaNode.toString());
    }

    @Test
    void aCustomIdThatIsLiveGivesThatSession() throws Exception {
        Session first = client().createSession(custom("taken"));
        Session second = client().createSession(custom("taken"));
        assertEquals("taken", second.getSessionId());
        assertEquals(first.createdAt(), second.createdAt());
    }

    @Test
    void aRaceForACustomIdMakesOneSession() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(8);
        List<Callable<Session>> racers = new ArrayList<>();
        for (int racer = 0; racer < 8; racer++) {
            racers.add(() -> client().createSession(custom("raced")));
        }
        long createdAt = 0;
        for (Future<Session> session : pool.invokeAll(racers)) {
            createdAt = createdAt == 0 ? session.get().createdAt() : createdAt;
            assertEquals(createdAt, session.get().createdAt());
        }
        pool.shutdown();
    }

    @Test
    void aSessionOfWhatIsNotAllowedIsRefused() {
        refuses(400, () -> client().createSession(custom("not/allowed")));
        RecordingProperties.Builder nothing = new RecordingProperties.Builder().hasAudio(false).hasVideo(false);
        List<RecordingProperties.Builder> wrong = List.of(
                nothing,
                new RecordingProperties.Builder().name("not/allowed"),
                new RecordingProperties.Builder().resolution("99x720"),
                new RecordingProperties.Builder().frameRate(121),
                new RecordingProperties.Builder().shmSize(1));
        for (RecordingProperties.Builder recording : wrong) {
            refuses(400, () -> client().createSession(recorded(recording.build())));
        }
    }

    @Test
    void fetchingTellsWhetherAnythingHasChanged() throws Exception {
        OpenVidu here = client();
        OpenVidu there = client();
        there.fetch();
        assertFalse(there.fetch());
        Session session = here.createSession();
        assertTrue(there.fetch());
        assertFalse(there.fetch());
        Session seen = there.getActiveSession(session.getSessionId());
        assertFalse(seen.fetch());
        session.createConnection();
        assertTrue(seen.fetch());
        assertFalse(seen.fetch());
        seen.close();
        here.fetch();
        assertNull(here.getActiveSession(session.getSessionId()));
    }

    @Test
    void aSessionIsClosedOnce() throws Exception {
        OpenVidu openVidu = client();
        Session session = openVidu.createSession(custom("again"));
        session.createConnection();
        session.close();
        assertNull(openVidu.getActiveSession("again"));
        refuses(404, session::close);
        refuses(404, session::fetch);
        refuses(404, session::createConnection);
        refuses(404, session::generateToken);
        assertEquals(List.of(), elsewhere(client().createSession(custom("again"))).getConnections());
    }

    @Test
    void aSessionBelowApiIsTheSame() throws Exception {
        String layout = "\"defaultRecordingLayout\":\"CUSTOM\",\"defaultCustomLayout\":\"layouts/lecture\"";
        send("POST", "/api/sessions", "{\"customSessionId\":\"from_api\"," + layout + "}");
        Session session = client().createSession(custom("from_api"));
        RecordingProperties recording = session.getProperties().defaultRecordingProperties();
        assertEquals(RecordingLayout.CUSTOM, recording.recordingLayout());
        assertEquals("layouts/lecture", recording.customLayout());
        assertEquals("1280x720", recording.resolution());

        String token = send("POST", "/api/tokens", "{\"session\":\"from_api\"}").get("token").getAsString();
        assertTrue(session.fetch());
        assertEquals(token, session.getConnections().get(0).getToken());
        session.forceDisconnect(session.getConnections().get(0));

        Connection connection = session.createConnection();
        JsonObject listed = onlyConnection("/api/sessions/from_api");
        assertEquals(connection.getConnectionId(), listed.get("connectionId").getAsString());
        assertEquals(connection.getToken(), listed.get("token").getAsString());
    }

    @Test
    void recordingsAndBroadcastsNeedAMediaServer() throws Exception {
        OpenVidu openVidu = client();
        String session = openVidu.createSession().getSessionId();
        refuses(501, () -> openVidu.startRecording(session));
        refuses(501, () -> openVidu.startRecording(session, new RecordingProperties.Builder().build()));
        refuses(501, () -> openVidu.stopRecording("rec_unknown"));
        refuses(501, () -> openVidu.getRecording("rec_unknown"));
        refuses(501, openVidu::listRecordings);
        refuses(501, () -> openVidu.deleteRecording("rec_unknown"));
        refuses(501, () -> openVidu.startBroadcast(session, "rtmp://live.example.com/1"));
        refuses(501, () -> openVidu.stopBroadcast(session));
    }

    @Test
    void aWrongSecretIsRefused() {
        OpenVidu stranger = new OpenVidu(url(), "MY");
        refuses(401, stranger::createSession);
        refuses(401, stranger::fetch);
        refuses(401, stranger::listRecordings);
        refuses(401, () -> stranger.startRecording("ses_unknown"));
        refuses(401, () -> stranger.deleteRecording("rec_unknown"));
    }
}
