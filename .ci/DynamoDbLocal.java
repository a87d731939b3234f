import org.eclipse.jetty.io.ConnectionStatistics;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.main.ServerRunner;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;

/**
 * DynamoDB Local on a free port of the loopback interface, printed when it answers. When it ends it
 * prints how many connections it has had.
 *
 * Its own command line listens on every interface and needs to be told a port, which another program
 * may have taken by the time it starts. Neither can be set but on the server inside.
 */
class DynamoDbLocal {
    public static void main(String[] arguments) throws Exception {
        DynamoDBProxyServer dynamodb = ServerRunner.createServerFromCommandLineArgs(
                new String[] {"-inMemory", "-sharedDb", "-disableTelemetry"});
        var inside = DynamoDBProxyServer.class.getDeclaredField("server");
        inside.setAccessible(true);
        Server server = (Server) inside.get(dynamodb);
        var statistics = new ConnectionStatistics();
        for (Connector connector : server.getConnectors()) {
            ((ServerConnector) connector).setHost("127.0.0.1");
            ((ServerConnector) connector).setPort(0);
            connector.addBean(statistics);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(
                () -> System.out.println("connections: " + statistics.getConnectionsTotal())));
        dynamodb.start();
        System.out.println("listening on http://127.0.0.1:" + ((ServerConnector) server.getConnectors()[0]).getLocalPort());
        dynamodb.join();
    }
}
