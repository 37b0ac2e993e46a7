// The child of tests/live/servers/java.py: a TLS server by Java's SSLServerSocket, without anything that Java has
// disabled because it is obsolete. Arguments: address, port, a PKCS #12 file, its password, and, with commas between,
// the protocols and the cipher suites, each as Java names them; `-` for all that it has.
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.security.KeyStore;
import java.security.Security;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;

public final class TlsServer {
    private static final int SILENCE_MS = 10_000;

    public static void main(String[] told) throws Exception {
        Security.setProperty("jdk.tls.disabledAlgorithms", "");
        Security.setProperty("jdk.certpath.disabledAlgorithms", "");
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream file = new FileInputStream(told[2])) {
            keys.load(file, told[3].toCharArray());
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance("SunX509");
        managers.init(keys, told[3].toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        SSLServerSocket listener = (SSLServerSocket) context.getServerSocketFactory()
                .createServerSocket(Integer.parseInt(told[1]), 50, InetAddress.getByName(told[0]));
        listener.setEnabledProtocols(told[4].equals("-") ? listener.getSupportedProtocols() : told[4].split(","));
        listener.setEnabledCipherSuites(told[5].equals("-") ? listener.getSupportedCipherSuites() : told[5].split(","));
        while (true) {
            SSLSocket session = (SSLSocket) listener.accept();
            Thread conversation = new Thread(() -> serve(session));
            conversation.setDaemon(true);
            conversation.start();
        }
    }

    private static void serve(SSLSocket session) {
        // What a client breaks off is its own affair.
        try (session) {
            session.setSoTimeout(SILENCE_MS);
            session.startHandshake();
            while (session.getInputStream().read() >= 0) { }
        } catch (IOException broken) {
            System.out.println(broken);
        }
    }
}
