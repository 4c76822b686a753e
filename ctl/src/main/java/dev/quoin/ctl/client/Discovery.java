package dev.quoin.ctl.client;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Hashtable;
import java.util.List;

import javax.naming.Context;
import javax.naming.NameNotFoundException;
import javax.naming.NamingEnumeration;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.InitialDirContext;

/** The endpoints of a cluster as SRV records of a domain tell them (etcd: client/pkg/srv/srv.go, GetClient). */
public final class Discovery {
    private final String server;

    private Discovery(String server) {
        this.server = server;
    }

    /** Asks the name servers that the system is set up with. */
    public static Discovery ofSystem() {
        return new Discovery("dns:");
    }

    /** Asks this one. */
    public static Discovery at(String host, int port) {
        return new Discovery("dns://" + host + ":" + port);
    }

    private record Srv(int priority, int weight, int port, String target) {}

    /**
     * A server, as one record tells of it.
     *
     * @param scheme {@code https} or {@code http}
     * @param priority the lower, the earlier it is to be used
     * @param weight how often, beside others of that priority; 0 for hardly ever
     */
    public record Found(String scheme, String host, int port, int priority, int weight) {
        public String endpoint() {
            return scheme + "://" + host + ":" + port;
        }
    }

    /** As {@link #found}, their URLs. */
    public List<String> endpoints(String domain, String service) throws IOException {
        return found(domain, service).stream().map(Found::endpoint).toList();
    }

    /**
     * What {@code _etcd-client-ssl._tcp} names, with https, and then what {@code _etcd-client._tcp} does, with http: each by priority,
     * then by weight, then by name.
     *
     * @param service what is hung on the two names, behind a dash; may be empty
     * @throws IOException neither name has a record, or nobody answers
     */
    public List<Found> found(String domain, String service) throws IOException {
        String suffix = service.isEmpty() ? "" : "-" + service;
        List<Found> found = new ArrayList<>();
        IOException secureFailure = null;
        try {
            add(found, "https", "_etcd-client-ssl" + suffix + "._tcp." + domain);
        } catch (IOException why) {
            secureFailure = why;
        }
        try {
            add(found, "http", "_etcd-client" + suffix + "._tcp." + domain);
        } catch (IOException why) {
            if (secureFailure != null) {
                throw new IOException(
                        "dns lookup errors: " + secureFailure.getMessage() + " and " + why.getMessage(), why);
            }
        }
        return found;
    }

    private void add(List<Found> found, String scheme, String name) throws IOException {
        List<Srv> records = lookup(name);
        records.sort(Comparator.comparingInt(Srv::priority).thenComparing(Srv::weight, Comparator.reverseOrder())
                .thenComparing(Srv::target).thenComparingInt(Srv::port));
        records.forEach(srv -> found.add(new Found(scheme, srv.target, srv.port, srv.priority, srv.weight)));
    }

    @SuppressWarnings({"BanJNDI", "JdkObsolete"}) // Only records are read; JNDI wants this map.
    private List<Srv> lookup(String name) throws IOException {
        Hashtable<String, String> environment = new Hashtable<>();
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
        environment.put(Context.PROVIDER_URL, server);
        try {
            InitialDirContext context = new InitialDirContext(environment);
            try {
                return parse(name, context.getAttributes(name.endsWith(".") ? name : name + ".", new String[]{"SRV"})
                        .get("SRV"));
            } finally {
                context.close();
            }
        } catch (NameNotFoundException none) {
            throw new IOException("lookup " + name + ": no such host", none);
        } catch (NamingException failed) {
            throw new IOException("lookup " + name + ": " + failed.getMessage(), failed);
        }
    }

    private static List<Srv> parse(String name, Attribute records) throws NamingException, IOException {
        if (records == null) {
            throw new IOException("lookup " + name + ": no such host");
        }
        List<Srv> parsed = new ArrayList<>();
        NamingEnumeration<?> values = records.getAll();
        while (values.hasMore()) {
            String text = String.valueOf(values.next());
            String[] fields = text.split(" ", -1);
            if (fields.length != 4) {
                throw new IOException("lookup " + name + ": cannot unmarshal DNS message: " + text);
            }
            parsed.add(new Srv(Integer.parseInt(fields[0]), Integer.parseInt(fields[1]), Integer.parseInt(fields[2]),
                    fields[3]));
        }
        return parsed;
    }
}
