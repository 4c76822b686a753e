package dev.quoin.server.bootstrap;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

import dev.quoin.member.Ids;
import dev.quoin.member.MemberInfo;

/**
 * Names and their peer URLs, as {@code --initial-cluster} has them: {@code a=http://a:2380,b=http://b:2380}; a name may
 * come several times, with an URL each (client/pkg/types/urlsmap.go).
 *
 * @param urls sorted, for each name
 */
record InitialCluster(SortedMap<String, List<String>> urls) {
    InitialCluster {
        urls = Collections.unmodifiableSortedMap(new TreeMap<>(urls));
    }

    static InitialCluster of(String name, List<String> peerUrls) {
        return new InitialCluster(new TreeMap<>(Map.of(name, peerUrls.stream().sorted().toList())));
    }

    static InitialCluster parse(String text) throws PeerUrls.Bad {
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

    List<String> urlsOf(String name) {
        return urls.getOrDefault(name, List.of());
    }

    boolean hasDuplicateUrl() {
        Set<String> seen = new HashSet<>();
        return !urls.values().stream().flatMap(List::stream).allMatch(seen::add);
    }

    /** The URLs of all but this one, in the order in which they are asked. */
    List<String> urlsOfOthers(String name) {
        return urls.entrySet().stream().filter(member -> !member.getKey().equals(name))
                .flatMap(member -> member.getValue().stream()).sorted().toList();
    }

    /** Voters, with the ids that such a cluster begins with. */
    List<MemberInfo> members(String token) {
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
