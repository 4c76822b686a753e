package dev.quoin.net;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

import dev.quoin.base.GoQuote;

/**
 * Methods by path. Immutable, read by every loop. What it does not know it names as grpc-go does, because clients match
 * on the texts.
 */
public final class Router {
    private final Map<String, Method> methods;
    private final Set<String> services;

    private Router(Map<String, Method> methods, Set<String> services) {
        this.methods = methods;
        this.services = services;
    }

    public static Router of(Method... methods) {
        return of(java.util.List.of(methods));
    }

    public static Router of(Collection<Method> methods) {
        Map<String, Method> byPath = new HashMap<>();
        Set<String> services = new HashSet<>();
        for (Method method : methods) {
            if (byPath.put(method.path(), method) != null) {
                throw new IllegalArgumentException("two methods at " + method.path());
            }
            services.add(method.service());
        }
        return new Router(Map.copyOf(byPath), Set.copyOf(services));
    }

    /** In no order. */
    void forEach(Consumer<Method> visitor) {
        methods.values().forEach(visitor);
    }

    public @Nullable Method find(String path) {
        return methods.get(path);
    }

    /** Why {@link #find} did not find it: the service is all up to the last slash (grpc-go, server.go handleStream). */
    Status unknown(String path) {
        int slash = path.lastIndexOf('/');
        if (slash <= 0 || path.charAt(0) != '/') {
            return unimplemented("malformed method name: " + GoQuote.of(path));
        }
        String service = path.substring(1, slash);
        String name = path.substring(slash + 1);
        return services.contains(service)
                ? unimplemented("unknown method " + name + " for service " + service)
                : unimplemented("unknown service " + service);
    }

    private static Status unimplemented(String message) {
        return Status.of(Status.Code.UNIMPLEMENTED, message);
    }
}
