package dev.quoin.ctl.print;

import java.io.PrintStream;
import java.util.List;

import com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;

import dev.quoin.api.etcdserverpb.AlarmResponse;
import dev.quoin.api.etcdserverpb.AuthRoleGetResponse;
import dev.quoin.api.etcdserverpb.AuthRoleListResponse;
import dev.quoin.api.etcdserverpb.AuthStatusResponse;
import dev.quoin.api.etcdserverpb.AuthUserGetResponse;
import dev.quoin.api.etcdserverpb.AuthUserListResponse;
import dev.quoin.api.etcdserverpb.DeleteRangeResponse;
import dev.quoin.api.etcdserverpb.DowngradeResponse;
import dev.quoin.api.etcdserverpb.LeaseGrantResponse;
import dev.quoin.api.etcdserverpb.LeaseKeepAliveResponse;
import dev.quoin.api.etcdserverpb.LeaseLeasesResponse;
import dev.quoin.api.etcdserverpb.LeaseRevokeResponse;
import dev.quoin.api.etcdserverpb.LeaseTimeToLiveResponse;
import dev.quoin.api.etcdserverpb.Member;
import dev.quoin.api.etcdserverpb.MemberAddResponse;
import dev.quoin.api.etcdserverpb.MemberListResponse;
import dev.quoin.api.etcdserverpb.MoveLeaderResponse;
import dev.quoin.api.etcdserverpb.PutResponse;
import dev.quoin.api.etcdserverpb.RangeResponse;
import dev.quoin.api.etcdserverpb.ResponseHeader;
import dev.quoin.api.etcdserverpb.TxnResponse;
import dev.quoin.api.etcdserverpb.WatchResponse;
import dev.quoin.ctl.cli.Failure;

/** One way to show answers. A method that a format does not override is what it cannot show. */
public abstract class Printer {
    private final String format;
    final PrintStream out;
    final boolean isHex;

    Printer(String format, PrintStream out, boolean isHex) {
        this.format = format;
        this.out = out;
        this.isHex = isHex;
    }

    /**
     * The printer of a format.
     *
     * @param isHex {@code --hex}
     */
    public static Printer of(String format, boolean isHex, PrintStream out, PrintStream err) {
        return switch (format) {
            case "simple" -> new SimplePrinter(out, err, isHex);
            case "fields" -> new FieldsPrinter(out, isHex);
            case "json" -> new JsonPrinter(out, isHex);
            case "protobuf" -> new ProtobufPrinter(out);
            case "table" -> new TablePrinter(out);
            default -> throw Failure.badFeature("unsupported output format");
        };
    }

    private Failure unsupported() {
        return Failure.badFeature(format + " not supported as output format");
    }

    /** Whether it is the format for people. */
    public boolean isSimple() {
        return false;
    }

    /** Whether it shows a name and a value in each line. */
    public boolean isFields() {
        return false;
    }

    /**
     * What was done, where the answer holds nothing but a header.
     *
     * @param sentence for people
     */
    public void done(String sentence, @Nullable ResponseHeader header, MessageLite answer) {
        throw unsupported();
    }

    /**
     * What was read.
     *
     * @param isValueOnly leave keys out
     */
    public void get(RangeResponse answer, boolean isValueOnly) {
        throw unsupported();
    }

    public void put(PutResponse answer) {
        throw unsupported();
    }

    public void delete(DeleteRangeResponse answer) {
        throw unsupported();
    }

    public void txn(TxnResponse answer) {
        throw unsupported();
    }

    public void watch(WatchResponse answer) {
        throw unsupported();
    }

    public void grant(LeaseGrantResponse answer) {
        throw unsupported();
    }

    public void revoke(long lease, LeaseRevokeResponse answer) {
        throw unsupported();
    }

    public void keepAlive(LeaseKeepAliveResponse answer) {
        throw unsupported();
    }

    public void timeToLive(LeaseTimeToLiveResponse answer, boolean withKeys) {
        throw unsupported();
    }

    public void leases(LeaseLeasesResponse answer) {
        throw unsupported();
    }

    public void memberAdd(MemberAddResponse answer) {
        throw unsupported();
    }

    /**
     * A member was removed, updated or promoted.
     *
     * @param verb and what follows it: {@code removed from}
     */
    public void memberChange(String verb, long member, ResponseHeader header, List<Member> members,
            MessageLite answer) {
        throw unsupported();
    }

    public void memberList(MemberListResponse answer) {
        throw unsupported();
    }

    public void endpointHealth(List<Health> health) {
        throw unsupported();
    }

    public void endpointStatus(List<EndpointStatus> statuses) {
        throw unsupported();
    }

    public void endpointHash(List<EndpointHash> hashes) {
        throw unsupported();
    }

    public void moveLeader(long leader, long target, MoveLeaderResponse answer) {
        throw unsupported();
    }

    /**
     * A downgrade was looked at, begun or given up.
     *
     * @param action which of these: {@code validate}
     */
    public void downgrade(String action, DowngradeResponse answer) {
        throw unsupported();
    }

    public void alarms(AlarmResponse answer) {
        throw unsupported();
    }

    public void role(String role, AuthRoleGetResponse answer) {
        throw unsupported();
    }

    public void roles(AuthRoleListResponse answer) {
        throw unsupported();
    }

    public void user(String user, AuthUserGetResponse answer) {
        throw unsupported();
    }

    public void users(AuthUserListResponse answer) {
        throw unsupported();
    }

    public void authStatus(AuthStatusResponse answer) {
        throw unsupported();
    }
}
