package dev.quoin.ctl.rpc;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

import javax.net.ssl.HttpsURLConnection;

import org.jspecify.annotations.Nullable;

/** A page of a server that is read over HTTP/1.1: what it tells in no call. */
public final class Page {
    private static final int BYTES_MAX = 16 << 20;
    private static final int TIMEOUT_MILLIS = (int) TimeUnit.SECONDS.toMillis(5);

    private Page() {}

    /**
     * Reads it, up to 16 MiB; connecting may take 5 s, and so may each further word of the server.
     *
     * @param path from the slash on
     * @throws IOException if it cannot be had
     */
    public static String fetch(Endpoint endpoint, @Nullable Tls tls, String path) throws IOException {
        boolean isSecure = endpoint.isSecure(tls != null);
        String url = (isSecure ? "https://" : "http://") + endpoint.address() + path;
        if (endpoint.isUnix()) {
            throw new IOException("Get \"" + endpoint.text() + path + "\": unsupported protocol scheme \"unix\"");
        }
        HttpURLConnection connection = connection(url);
        if (connection instanceof HttpsURLConnection secure && tls != null) {
            secure.setSSLSocketFactory(tls.context().getSocketFactory());
            if (!tls.isVerified()) {
                secure.setHostnameVerifier((host, session) -> true);
            }
        }
        connection.setConnectTimeout(TIMEOUT_MILLIS);
        connection.setReadTimeout(TIMEOUT_MILLIS);
        try (InputStream in = connection.getInputStream()) {
            return new String(in.readNBytes(BYTES_MAX), StandardCharsets.UTF_8);
        } catch (IOException why) {
            throw new IOException("Get \"" + url + "\": " + Tls.words(why), why);
        } finally {
            connection.disconnect();
        }
    }

    private static HttpURLConnection connection(String url) throws IOException {
        try {
            if (URI.create(url).toURL().openConnection() instanceof HttpURLConnection connection) {
                return connection;
            }
        } catch (IllegalArgumentException why) {
            throw new IOException("parse \"" + url + "\": " + why.getMessage(), why);
        }
        throw new IOException("Get \"" + url + "\": unsupported protocol scheme");
    }
}
