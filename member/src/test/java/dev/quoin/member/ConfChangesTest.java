package dev.quoin.member;

import java.util.HexFormat;
import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** The same bytes as etcd 3.7.1, whose code made those here. */
class ConfChangesTest {
    private static final long ID = 0xf000_0000_0000_0001L;
    private static final long REQUEST = 0x1234_5678_90ab_cdefL;
    private static final List<String> URLS = List.of("http://a&b:1", "http://c:2");

    private static void assertBytes(String hex, ClusterChange change) {
        assertThat(HexFormat.of().formatHex(ConfChanges.encode(REQUEST, change).toByteArray())).isEqualTo(hex);
    }

    @Test
    void eachChangeIsEncodedAsEtcdEncodesIt() {
        assertBytes(
                "08ef9baf8589cf959a121000188180808080808080f00122497b226964223a31373239333832323536393130323730343634"
                        + "312c227065657255524c73223a5b22687474703a2f2f615c7530303236623a31222c22687474703a2f2f633a32225d7d",
                new ClusterChange.Add(ID, URLS, false));
        assertBytes(
                "08ef9baf8589cf959a121003188180808080808080f001225a7b226964223a31373239333832323536393130323730343634"
                        + "312c227065657255524c73223a5b22687474703a2f2f615c7530303236623a31222c22687474703a2f2f633a32225d2c226973"
                        + "4c6561726e6572223a747275657d",
                new ClusterChange.Add(ID, URLS, true));
        assertBytes("08ef9baf8589cf959a121001188180808080808080f001", new ClusterChange.Remove(ID));
        assertBytes(
                "08ef9baf8589cf959a121000188180808080808080f001223c7b226964223a31373239333832323536393130323730343634"
                        + "312c227065657255524c73223a6e756c6c2c22697350726f6d6f7465223a747275657d",
                new ClusterChange.Promote(ID));
        assertBytes(
                "08ef9baf8589cf959a121002188180808080808080f00122357b226964223a31373239333832323536393130323730343634"
                        + "312c227065657255524c73223a5b22687474703a2f2f633a32225d7d",
                new ClusterChange.Update(ID, List.of("http://c:2")));
        assertBytes(
                "08ef9baf8589cf959a121002188180808080808080f001222b7b226964223a31373239333832323536393130323730343634"
                        + "312c227065657255524c73223a6e756c6c7d",
                new ClusterChange.Update(ID, List.of()));
    }

    @Test
    void whatIsEncodedIsWhatIsApplied() {
        Membership one = Membership.of(List.of(new MemberInfo(1, "a", List.of("http://a:1"), List.of(), false)));
        Membership added = MemberChange.applied(one, ConfChanges.encode(7, new ClusterChange.Add(ID, URLS, true)), 1)
                .membership();
        assertThat(added.member(ID)).hasValue(new MemberInfo(ID, "", URLS, List.of(), true));
        Membership promoted = MemberChange.applied(added, ConfChanges.encode(8, new ClusterChange.Promote(ID)), 1)
                .membership();
        assertThat(promoted.member(ID)).hasValue(new MemberInfo(ID, "", URLS, List.of(), false));
        assertThat(MemberChange.idOf(ConfChanges.encode(REQUEST, new ClusterChange.Remove(ID)))).isEqualTo(REQUEST);
        Membership removed = MemberChange.applied(promoted, ConfChanges.removed(ID), 1).membership();
        assertThat(removed.isRemoved(ID)).isTrue();
    }
}
