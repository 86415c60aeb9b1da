// Subscribes with the official Socket.IO client for Java; prints the transport, the answer and the first image, a line each.
// usage: java -cp 'lib/*' Official.java URL TRANSPORTS

import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Manager;
import io.socket.client.Socket;
import io.socket.engineio.client.Transport;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.json.JSONArray;
import org.json.JSONObject;

public class Official {
    public static void main(String[] args) throws Exception {
        String[] transports = args[1].split(",");
        String last = transports[transports.length - 1];
        Socket socket =
                IO.socket(
                        URI.create(args[0]),
                        IO.Options.builder().setTransports(transports).setReconnection(false).build());
        AtomicReference<String> transport = new AtomicReference<>("");
        AtomicReference<Object> answer = new AtomicReference<>();
        AtomicReference<Object> image = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(1);
        socket.io().on(Manager.EVENT_TRANSPORT, found -> transport.set(((Transport) found[0]).name));
        socket.on(
                Socket.EVENT_CONNECT,
                nothing -> {
                    JSONObject wanted = new JSONObject(Map.of("symbols", new JSONArray(List.of("RELIANCE"))));
                    socket.emit("subscribe", new Object[] {wanted}, (Ack) found -> answer.set(found[0]));
                });
        socket.on("image", found -> image.set(found[0]));
        socket.on(
                "heartbeat",
                nothing -> {
                    if (image.get() != null && transport.get().equals(last)) done.countDown();
                });
        socket.on(
                Socket.EVENT_CONNECT_ERROR,
                error -> {
                    answer.set(error[0]);
                    done.countDown();
                });
        socket.connect();
        done.await(15, TimeUnit.SECONDS);
        for (Object line : new Object[] {transport.get(), answer.get(), image.get()}) {
            System.out.println(line);
        }
        System.exit(0);
    }
}
