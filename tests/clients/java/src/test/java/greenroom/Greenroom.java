package greenroom;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A local server, started on a free loopback port with its store in memory. */
final class Greenroom {
    private static final Pattern LISTENING =
            Pattern.compile("greenroom listening on (http://127\\.0\\.0\\.1:\\d+)");
    private static final int START_LIMIT = 30;
    private static final int STOP_LIMIT = 20;

    final String url;
    private final Process process;

    private Greenroom(Process process, String url) {
        this.process = process;
        this.url = url;
    }

    static Greenroom start(Map<String, String> environment) throws Exception {
        String binary = System.getenv().getOrDefault("GREENROOM", "../../../target/debug/greenroom");
        ProcessBuilder builder = new ProcessBuilder(binary, "serve", "--memory", "--port", "0")
                .redirectInput(new File("/dev/null"))
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().putAll(environment);
        Process process = builder.start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        try {
            return new Greenroom(process, address(process).get(START_LIMIT, TimeUnit.SECONDS));
        } catch (Exception exception) {
            process.destroyForcibly();
            throw new IllegalStateException(binary + " printed no address", exception);
        }
    }

    /** The address that the server prints. A thread reads all output, because a full pipe would block the server. */
    private static CompletableFuture<String> address(Process process) {
        CompletableFuture<String> found = new CompletableFuture<>();
        Thread reader = new Thread(() -> {
            InputStreamReader output = new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8);
            try (BufferedReader lines = new BufferedReader(output)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    Matcher matcher = LISTENING.matcher(line);
                    if (matcher.matches()) {
                        found.complete(matcher.group(1));
                    }
                }
                found.completeExceptionally(new IllegalStateException("the output has ended"));
            } catch (IOException exception) {
                found.completeExceptionally(new UncheckedIOException(exception));
            }
        });
        reader.setDaemon(true);
        reader.start();
        return found;
    }

    void stop() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(STOP_LIMIT, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException("the server did not stop when it was told to");
        }
    }
}
