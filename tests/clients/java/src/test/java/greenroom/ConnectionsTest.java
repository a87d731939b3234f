package greenroom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.openvidu.java.client.Connection;
import io.openvidu.java.client.ConnectionProperties;
import io.openvidu.java.client.ConnectionType;
import io.openvidu.java.client.IceServerProperties;
import io.openvidu.java.client.KurentoOptions;
import io.openvidu.java.client.OpenViduRole;
import io.openvidu.java.client.Session;
import io.openvidu.java.client.TokenOptions;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connections and tokens of the API below /openvidu/api. */
class ConnectionsTest extends OpenViduClient {
    @Test
    void aConnectionWithoutProperties() throws Exception {
        Session session = client().createSession();
        Connection connection = session.createConnection();
        assertTrue(connection.getConnectionId().matches("con_[A-Za-z0-9]+"), connection.getConnectionId());
        assertEquals("pending", connection.getStatus());
        assertTrue(connection.createdAt() >= session.createdAt());
        assertEquals(ConnectionType.WEBRTC, connection.getType());
        assertEquals(OpenViduRole.PUBLISHER, connection.getRole());
        assertEquals("", connection.getServerData());
        assertTrue(connection.record());
        assertEquals(List.of(), connection.getCustomIceServers());
        assertNull(connection.activeAt());
        assertNull(connection.getLocation());
        assertNull(connection.getIp());
        assertNull(connection.getPlatform());
        assertNull(connection.getClientData());
        assertEquals(List.of(), connection.getPublishers());
        assertEquals(List.of(), connection.getSubscribers());

        URI token = URI.create(connection.getToken());
        assertEquals("wss", token.getScheme());
        assertEquals(URI.create(url()).getAuthority(), token.getAuthority());
        String query = "sessionId=" + session.getSessionId() + "&token=tok_[A-Za-z0-9]+";
        assertTrue(token.getQuery().matches(query), token.getQuery());

        // The session knows the connection already, as the server answers it.
        assertFalse(session.fetch());
        assertEquals(List.of(connection), session.getConnections());
        assertEquals(List.of(), session.getActiveConnections());
    }

    @ParameterizedTest
    @EnumSource(OpenViduRole.class)
    void aConnectionWithEveryProperty(OpenViduRole role) throws Exception {
        IceServerProperties turn = new IceServerProperties.Builder()
                .url("turn:turn.example.com:3478?transport=tcp").username("user").credential("password").build();
        IceServerProperties stun = new IceServerProperties.Builder().url("stun:stun.example.com").build();
        KurentoOptions kurento = new KurentoOptions.Builder()
                .videoMaxRecvBandwidth(1000)
                .videoMinRecvBandwidth(0)
                .videoMaxSendBandwidth(900)
                .videoMinSendBandwidth(100)
                .allowedFilters(new String[] {"GStreamerFilter", "ZBarFilter"})
                .build();
        ConnectionProperties properties = new ConnectionProperties.Builder()
                .type(ConnectionType.WEBRTC)
                .role(role)
                .data("Zoë")
                .record(false)
                .kurentoOptions(kurento)
                .addCustomIceServer(turn)
                .addCustomIceServer(stun)
                .build();
        Session session = client().createSession();
        Connection made = session.createConnection(properties);
        Connection seen = elsewhere(session).getConnection(made.getConnectionId());
        for (Connection connection : List.of(made, seen)) {
            assertEquals(role, connection.getRole());
            assertEquals("Zoë", connection.getServerData());
            assertFalse(connection.record());
            assertEquals(turn.toJson(), connection.getCustomIceServers().get(0).toJson());
            assertEquals(stun.toJson(), connection.getCustomIceServers().get(1).toJson());
        }
        assertEquals(made.getToken(), seen.getToken());
        // The client does not read the Kurento options.
        String path = "/openvidu/api/sessions/" + session.getSessionId() + "?pendingConnections=true";
        assertEquals(kurento.toJson(), onlyConnection(path).getAsJsonObject("kurentoOptions"));
    }

    @Test
    void aConnectionOfWhatIsNotAllowedIsRefused() throws Exception {
        Session session = client().createSession();
        ConnectionProperties data = new ConnectionProperties.Builder().data("x".repeat(10_001)).build();
        refuses(400, () -> session.createConnection(data));
        session.fetch();
        assertEquals(List.of(), session.getConnections());
    }

    @Test
    void anIpCameraNeedsAMediaServer() throws Exception {
        Session session = client().createSession();
        ConnectionProperties camera = new ConnectionProperties.Builder()
                .type(ConnectionType.IPCAM)
                .rtspUri("rtsp://camera.example.com/1")
                .adaptativeBitrate(true)
                .onlyPlayWithSubscribers(true)
                .networkCache(1000)
                .build();
        refuses(501, () -> session.createConnection(camera));
        ConnectionProperties none = new ConnectionProperties.Builder().type(ConnectionType.IPCAM).build();
        refuses(400, () -> session.createConnection(none));
        session.fetch();
        assertEquals(List.of(), session.getConnections());
    }

    @Test
    void updatingAConnectionChangesRoleAndRecord() throws Exception {
        Session session = client().createSession();
        ConnectionProperties first = new ConnectionProperties.Builder().data("first").build();
        Connection connection = session.createConnection(first);
        String id = connection.getConnectionId();
        ConnectionProperties changes = new ConnectionProperties.Builder()
                .role(OpenViduRole.SUBSCRIBER).record(false).data("second").build();
        session.updateConnection(id, changes);
        assertFalse(session.fetch());

        Connection seen = elsewhere(session).getConnection(id);
        assertEquals(OpenViduRole.SUBSCRIBER, seen.getRole());
        assertFalse(seen.record());
        assertEquals("first", seen.getServerData());
        assertEquals(connection.getToken(), seen.getToken());
        assertEquals(connection.createdAt(), seen.createdAt());
        // Nothing to change.
        session.updateConnection(id, new ConnectionProperties.Builder().build());
        assertFalse(session.fetch());

        refuses(404, () -> session.updateConnection("con_unknown", changes));
        session.close();
        refuses(404, () -> session.updateConnection(id, changes));
    }

    @Test
    void disconnectingEndsOneConnection() throws Exception {
        Session session = client().createSession();
        Connection gone = session.createConnection();
        Connection kept = session.createConnection();
        session.forceDisconnect(gone);
        assertFalse(session.fetch());
        assertEquals(List.of(kept), session.getConnections());
        refuses(404, () -> session.forceDisconnect(gone));
        session.forceDisconnect(kept.getConnectionId());
        refuses(404, () -> session.forceUnpublish("str_unknown"));
        session.close();
        refuses(400, () -> session.forceDisconnect("con_unknown"));
        refuses(400, () -> session.forceUnpublish("str_unknown"));
    }

    @Test
    @SuppressWarnings("deprecation")
    void aTokenShowsAsAConnection() throws Exception {
        Session session = client().createSession();
        TokenOptions options = new TokenOptions.Builder().role(OpenViduRole.MODERATOR).data("Zoë").build();
        String token = session.generateToken(options);
        assertTrue(session.fetch());
        Connection connection = session.getConnections().get(0);
        assertEquals(token, connection.getToken());
        assertEquals(OpenViduRole.MODERATOR, connection.getRole());
        assertEquals("Zoë", connection.getServerData());
        assertTrue(connection.record());
        assertNotEquals(session.generateToken(), token);
        TokenOptions tooMuch = new TokenOptions.Builder().data("x".repeat(10_001)).build();
        refuses(400, () -> session.generateToken(tooMuch));
    }
}
