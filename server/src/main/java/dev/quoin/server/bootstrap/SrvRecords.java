package dev.quoin.server.bootstrap;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Hashtable;
import java.util.List;

import javax.naming.Context;
import javax.naming.NameNotFoundException;
import javax.naming.NamingEnumeration;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.InitialDirContext;

/** SRV records of the domain name system, by way of the JDK's own client for it. */
final class SrvRecords {
    private final String server;

    /**
     * One record.
     *
     * @param target without the dot at its end
     */
    record Srv(int priority, int weight, int port, String target) {}

    private SrvRecords(String server) {
        this.server = server;
    }

    /** Asks the servers that the system is set up with. */
    static SrvRecords ofSystem() {
        return new SrvRecords("dns:");
    }

    /** Asks this one. */
    static SrvRecords at(String host, int port) {
        return new SrvRecords("dns://" + host + ":" + port);
    }

    /**
     * The records of a name, by priority, then by name: no chance, so that every start sees them the same way.
     *
     * @throws IOException there are none, or nobody answers; in Go's words
     */
    @SuppressWarnings({"BanJNDI", "JdkObsolete"}) // Only records are read, from a server that was set up; JNDI wants this map.
    List<Srv> lookup(String name) throws IOException {
        Hashtable<String, String> environment = new Hashtable<>();
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
        environment.put(Context.PROVIDER_URL, server);
        try {
            InitialDirContext context = new InitialDirContext(environment);
            try {
                return parse(name, context.getAttributes(absolute(name), new String[]{"SRV"}).get("SRV"));
            } finally {
                context.close();
            }
        } catch (NameNotFoundException none) {
            throw new IOException("lookup " + name + ": no such host", none);
        } catch (NamingException failed) {
            throw new IOException("lookup " + name + ": " + failed.getMessage(), failed);
        }
    }

    private static String absolute(String name) {
        return name.endsWith(".") ? name : name + ".";
    }

    private static List<Srv> parse(String name, Attribute records) throws NamingException, IOException {
        if (records == null) {
            throw new IOException("lookup " + name + ": no such host");
        }
        List<Srv> parsed = new ArrayList<>();
        NamingEnumeration<?> values = records.getAll();
        while (values.hasMore()) {
            parsed.add(parse(String.valueOf(values.next())));
        }
        parsed.sort(Comparator.comparingInt(Srv::priority).thenComparing(Srv::target)
                .thenComparingInt(Srv::port));
        return Collections.unmodifiableList(parsed);
    }

    private static Srv parse(String text) throws IOException {
        String[] fields = text.split(" ", -1);
        if (fields.length != 4) {
            throw new IOException("not an SRV record: " + text);
        }
        String target = fields[3].endsWith(".") ? fields[3].substring(0, fields[3].length() - 1) : fields[3];
        return new Srv(Integer.parseInt(fields[0]), Integer.parseInt(fields[1]), Integer.parseInt(fields[2]), target);
    }
}
