package dev.quoin.member.founding;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

import org.jspecify.annotations.Nullable;

import dev.quoin.member.Ids;
import dev.quoin.member.MemberInfo;

/**
 * Names and their peer URLs, as {@code --initial-cluster} has them: {@code a=http://a:2380,b=http://b:2380}; a name may
 * come several times, with an URL each (client/pkg/types/urlsmap.go).
 *
 * @param urls sorted, for each name
 */
public record InitialCluster(SortedMap<String, List<String>> urls) {
    public InitialCluster {
        urls = Collections.unmodifiableSortedMap(new TreeMap<>(urls));
    }

    public static InitialCluster of(String name, List<String> peerUrls) {
        return new InitialCluster(new TreeMap<>(Map.of(name, peerUrls.stream().sorted().toList())));
    }

    public static InitialCluster parse(String text) throws PeerUrls.Bad {
        SortedMap<String, List<String>> given = new TreeMap<>();
        for (String pair : text.split(",", -1)) {
            if (pair.isEmpty()) {
                continue;
            }
            int equals = pair.indexOf('=');
            String name = equals < 0 ? pair : pair.substring(0, equals);
            String url = equals < 0 ? "" : pair.substring(equals + 1);
            given.computeIfAbsent(name, any -> new ArrayList<>()).add(url);
        }
        SortedMap<String, List<String>> urls = new TreeMap<>();
        for (Map.Entry<String, List<String>> member : given.entrySet()) {
            urls.put(member.getKey(), PeerUrls.parse(member.getValue()));
        }
        return new InitialCluster(urls);
    }

    public List<String> urlsOf(String name) {
        return urls.getOrDefault(name, List.of());
    }

    public boolean hasDuplicateUrl() {
        Set<String> seen = new HashSet<>();
        return !urls.values().stream().flatMap(List::stream).allMatch(seen::add);
    }

    /**
     * Why the cluster and what its member of this name advertises do not fit, in etcd's words (config/config.go
     * advertiseMatchesCluster); null if they do. Waits for names to be resolved.
     */
    public @Nullable String mismatch(String name, List<String> peerUrls, UrlComparison comparison)
            throws InterruptedException {
        List<String> expected = urlsOf(name);
        List<String> advertised = peerUrls.stream().sorted().toList();
        String difference = comparison.difference(advertised, expected);
        if (difference == null) {
            return null;
        }
        String advertisedText = String.join(",", advertised);
        List<String> missing = without(expected, advertised);
        if (!missing.isEmpty()) {
            return "--initial-cluster has "
                    + String.join(",", missing.stream().map(url -> name + "=" + url).toList())
                    + " but missing from --initial-advertise-peer-urls=" + advertisedText + " (" + difference + ")";
        }
        InitialCluster own = of(name, advertised);
        List<String> surplus = without(advertised, expected);
        if (!surplus.isEmpty()) {
            return "--initial-advertise-peer-urls has " + String.join(",", surplus)
                    + " but missing from --initial-cluster=" + own;
        }
        return "failed to resolve " + advertisedText + " to match --initial-cluster=" + own + " (" + difference + ")";
    }

    private static List<String> without(List<String> urls, List<String> others) {
        return urls.stream().distinct().filter(url -> !others.contains(url)).toList();
    }

    /** The URLs of all but this one, in the order in which they are asked. */
    public List<String> urlsOfOthers(String name) {
        return urls.entrySet().stream().filter(member -> !member.getKey().equals(name))
                .flatMap(member -> member.getValue().stream()).sorted().toList();
    }

    /** Voters, with the ids that such a cluster begins with. */
    public List<MemberInfo> members(String token) {
        return urls.entrySet().stream().map(member -> new MemberInfo(Ids.member(member.getValue(), token),
                member.getKey(), member.getValue(), List.of(), false)).toList();
    }

    /** As etcd's texts have it, sorted. */
    @Override
    public String toString() {
        return String.join(",", urls.entrySet().stream()
                .flatMap(member -> member.getValue().stream().map(url -> member.getKey() + "=" + url)).sorted()
                .toList());
    }
}
