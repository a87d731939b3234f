package greenroom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.openvidu.java.client.OpenVidu;
import io.openvidu.java.client.OpenViduHttpException;
import io.openvidu.java.client.RecordingProperties;
import io.openvidu.java.client.Session;
import io.openvidu.java.client.SessionProperties;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/**
 * What tests of the unmodified openvidu-java-client 2.32.2 share: a local server for each class, and requests to it.
 *
 * This client sends its credentials only when an answer has asked for them, so each of its requests is refused once.
 */
@Timeout(60)
abstract class OpenViduClient {
    // A colon in the secret: the user name ends at the first one.
    private static final String SECRET = "MY:SECRET";
    private static Greenroom server;

    @BeforeAll
    static void start() throws Exception {
        server = Greenroom.start(Map.of("OPENVIDU_SECRET", SECRET));
    }

    @AfterAll
    static void stop() throws InterruptedException {
        if (server != null) {
            server.stop();
        }
    }

    static String url() {
        return server.url;
    }

    static OpenVidu client() {
        return new OpenVidu(url(), SECRET);
    }

    /** A session as another client sees it. */
    static Session elsewhere(Session session) throws Exception {
        OpenVidu other = client();
        other.fetch();
        return other.getActiveSession(session.getSessionId());
    }

    static SessionProperties custom(String id) {
        return new SessionProperties.Builder().customSessionId(id).build();
    }

    static SessionProperties recorded(RecordingProperties recording) {
        return new SessionProperties.Builder().defaultRecordingProperties(recording).build();
    }

    static void refuses(int status, Executable call) {
        assertEquals(status, assertThrows(OpenViduHttpException.class, call).getStatus());
    }

    /** Sends a request that the client does not make, and returns the JSON of the answer. */
    static JsonObject send(String method, String path, String body) throws Exception {
        String credentials = Base64.getEncoder().encodeToString(("OPENVIDUAPP:" + SECRET).getBytes());
        HttpRequest request = HttpRequest.newBuilder(URI.create(url() + path))
                .version(HttpClient.Version.HTTP_1_1)
                .method(method, BodyPublishers.ofString(body))
                .header("Authorization", "Basic " + credentials)
                .header("Content-Type", "application/json")
                .build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer.body());
        return JsonParser.parseString(answer.body()).getAsJsonObject();
    }

    /** The one connection that a session below this path has. */
    static JsonObject onlyConnection(String path) throws Exception {
        JsonArray listed = send("GET", path, "").getAsJsonObject("connections").getAsJsonArray("content");
        assertEquals(1, listed.size());
        return listed.get(0).getAsJsonObject();
    }
}
