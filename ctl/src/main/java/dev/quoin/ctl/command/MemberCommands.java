package dev.quoin.ctl.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.MemberAddRequest;
import dev.quoin.api.etcdserverpb.MemberAddResponse;
import dev.quoin.api.etcdserverpb.MemberListRequest;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.api.etcdserverpb.MemberPromoteRequest;
import dev.quoin.api.etcdserverpb.MemberPromoteResponse;
import dev.quoin.api.etcdserverpb.MemberRemoveRequest;
import dev.quoin.api.etcdserverpb.MemberRemoveResponse;
import dev.quoin.api.etcdserverpb.MemberUpdateRequest;
import dev.quoin.api.etcdserverpb.MemberUpdateResponse;
import dev.quoin.base.GoQuote;
import dev.quoin.ctl.cli.Command;
import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.cli.Flag;
import dev.quoin.ctl.client.Method;

/** member add, remove, update, list and promote (etcd: member_command.go). */
final class MemberCommands {
    private static final String PEER_URLS = "peer-urls";

    private final Commands commands;

    MemberCommands(Commands commands) {
        this.commands = commands;
    }

    Command member() {
        return new Command("member <subcommand>",
                "Membership related commands. Use `etcdctl member --help` to see subcommands")
                .described("Membership related commands").in(Commands.MAINTENANCE)
                .of(new Command("add <memberName> [options]", "Adds a member into the cluster")
                        .taking(Flag.string(PEER_URLS, "", "comma separated peer URLs for the new member."),
                                Flag.bool("learner", "indicates if the new member is raft learner"))
                        .doing(commands.action(MemberCommands::add)),
                        new Command("remove <memberID>", "Removes a member from the cluster")
                                .doing(commands.action(MemberCommands::remove)),
                        new Command("update <memberID> [options]", "Updates a member in the cluster")
                                .taking(Flag.string(PEER_URLS, "",
                                        "comma separated peer URLs for the updated member."))
                                .doing(commands.action(MemberCommands::update)),
                        new Command("list", "Lists all members in the cluster")
                                .described(
                                        """
                                                When --write-out is set to simple, this command prints out comma-separated member lists for each endpoint.
                                                The items in the lists are ID, Status, Name, Peer Addrs, Client Addrs, Is Learner.
                                                """)
                                .taking(Flag.string("consistency", "l", "Linearizable(l) or Serializable(s)"))
                                .doing(commands.action(MemberCommands::list)),
                        new Command("promote <memberID>", "Promotes a non-voting member in the cluster")
                                .described("""
                                        Promotes a non-voting learner member to a voting one in the cluster.
                                        """)
                                .doing(commands.action(MemberCommands::promote)));
    }

    private static void add(Context context) {
        List<String> arguments = context.arguments();
        if (arguments.isEmpty()) {
            throw Failure.badArguments("member name not provided");
        }
        if (arguments.size() > 1) {
            throw Failure.badArguments("too many arguments" + String.join("", arguments.stream()
                    .filter(each -> each.toLowerCase(Locale.ROOT).startsWith("http"))
                    .map(each -> ", did you mean --peer-urls=" + each).toList()));
        }
        String urls = context.flags().text(PEER_URLS);
        if (urls.isEmpty()) {
            throw Failure.badArguments("member peer urls not provided");
        }
        MemberAddRequest request = MemberAddRequest.newBuilder().addAllPeerURLs(peerUrls(urls))
                .setIsLearner(context.flags().isOn("learner")).build();
        MemberAddResponse answer = context.client().call(Method.MEMBER_ADD, request, MemberAddResponse.parser(),
                context.deadline());
        context.printer().memberAdd(answer);
        if (context.printer().isSimple()) {
            context.print(howToStart(context.argument(0), urls, answer));
        }
    }

    /** What the new member must be started with. */
    private static String howToStart(String name, String urls, MemberAddResponse answer) {
        List<String> cluster = new ArrayList<>();
        for (Member member : answer.getMembersList()) {
            String memberName = member.getID() == answer.getMember().getID() ? name : member.getName();
            member.getPeerURLsList().forEach(url -> cluster.add(memberName + "=" + url));
        }
        return "\nETCD_NAME=" + GoQuote.of(name) + "\nETCD_INITIAL_CLUSTER="
                + GoQuote.of(String.join(",", cluster)) + "\nETCD_INITIAL_ADVERTISE_PEER_URLS=" + GoQuote.of(urls)
                + "\nETCD_INITIAL_CLUSTER_STATE=\"existing\"\n";
    }

    /** The URLs, looked at before anything is sent (etcd: client/pkg/types/urls.go, NewURLs). */
    private static List<String> peerUrls(String text) {
        List<String> urls = List.of(text.split(",", -1));
        for (String each : urls) {
            String url = each.strip();
            int end = url.indexOf("://");
            String scheme = end < 0 ? "" : url.substring(0, end);
            if (scheme.equals("unix") || scheme.equals("unixs")) {
                continue;
            }
            if (!scheme.equals("http") && !scheme.equals("https")) {
                throw Failure.of("URL scheme must be http, https, unix, or unixs: " + url);
            }
            String rest = url.substring(end + 3);
            int slash = rest.indexOf('/');
            String host = slash < 0 ? rest : rest.substring(0, slash);
            if (!isHostAndPort(host)) {
                throw Failure.of("URL address does not have the form \"host:port\": " + url);
            }
            if (slash >= 0) {
                throw Failure.of("URL must not contain a path: " + url);
            }
        }
        return urls;
    }

    /** One colon, or an address in brackets and a colon. */
    private static boolean isHostAndPort(String host) {
        int colon = host.lastIndexOf(':');
        if (host.startsWith("[")) {
            return host.indexOf(']') == colon - 1;
        }
        return colon >= 0 && host.indexOf(':') == colon;
    }

    private static long id(Context context) {
        context.expectArguments(1, "member ID is not provided");
        return Arguments.member(context.argument(0));
    }

    private static void remove(Context context) {
        long id = id(context);
        MemberRemoveResponse answer = context.client().call(Method.MEMBER_REMOVE,
                MemberRemoveRequest.newBuilder().setID(id).build(), MemberRemoveResponse.parser(),
                context.deadline());
        context.printer().memberChange("removed from", id, answer.getHeader(), answer.getMembersList(), answer);
    }

    private static void update(Context context) {
        long id = id(context);
        String urls = context.flags().text(PEER_URLS);
        if (urls.isEmpty()) {
            throw Failure.badArguments("member peer urls not provided");
        }
        MemberUpdateRequest request = MemberUpdateRequest.newBuilder().setID(id).addAllPeerURLs(peerUrls(urls))
                .build();
        MemberUpdateResponse answer = context.client().call(Method.MEMBER_UPDATE, request,
                MemberUpdateResponse.parser(), context.deadline());
        context.printer().memberChange("updated in", id, answer.getHeader(), answer.getMembersList(), answer);
    }

    private static void list(Context context) {
        boolean isSerializable = KeyValueCommands.isSerializable(context.flags().text("consistency"));
        MemberListResponse answer = context.client().call(Method.MEMBER_LIST,
                MemberListRequest.newBuilder().setLinearizable(!isSerializable).build(), MemberListResponse.parser(),
                context.deadline());
        context.printer().memberList(answer);
    }

    private static void promote(Context context) {
        long id = id(context);
        MemberPromoteResponse answer = context.client().call(Method.MEMBER_PROMOTE,
                MemberPromoteRequest.newBuilder().setID(id).build(), MemberPromoteResponse.parser(),
                context.deadline());
        context.printer().memberChange("promoted in", id, answer.getHeader(), answer.getMembersList(), answer);
    }
}
