package dev.quoin.ctl.command;

import org.junit.jupiter.api.Test;

import dev.quoin.api.etcdserverpb.Compare;
import dev.quoin.api.etcdserverpb.Compare.CompareResult;
import dev.quoin.api.etcdserverpb.Compare.CompareTarget;
import dev.quoin.ctl.cli.Failure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class TxnCommandTest {
    @Test
    void readsConditions() {
        Compare mod = TxnCommand.compare("mod(\"k\") > \"5\"");
        assertThat(mod.getTarget()).isEqualTo(CompareTarget.MOD);
        assertThat(mod.getResult()).isEqualTo(CompareResult.GREATER);
        assertThat(mod.getModRevision()).isEqualTo(5);
        assertThat(mod.getKey().toStringUtf8()).isEqualTo("k");
        Compare value = TxnCommand.compare("val(\"a\\x00b\") != \"x y\" and more");
        assertThat(value.getTarget()).isEqualTo(CompareTarget.VALUE);
        assertThat(value.getResult()).isEqualTo(CompareResult.NOT_EQUAL);
        assertThat(value.getValue().toStringUtf8()).isEqualTo("x y");
        assertThat(value.getKey().toByteArray()).containsExactly('a', 0, 'b');
        assertThat(TxnCommand.compare("c(`k`) = \"0\"").getTarget()).isEqualTo(CompareTarget.CREATE);
        assertThat(TxnCommand.compare("version(\"k\") < \"-3\"").getVersion()).isEqualTo(-3);
        assertThat(TxnCommand.compare("lease(\"k\") = \"4d2\"").getLease()).isEqualTo(0x4d2);
    }

    @Test
    void refusesWhatIsNoCondition() {
        refuses("nonsense", "malformed comparison: nonsense");
        refuses("mod(k) > \"5\"", "malformed comparison: mod(k) > \"5\"; got mod(\"\")  \"\"");
        refuses("mod(\"k\") > five", "malformed comparison: mod(\"k\") > five; got mod(\"k\") > \"\"");
        refuses("mod(\"k\") > \"five\"", "invalid txn compare request: mod(\"k\") > \"five\"");
        refuses("size(\"k\") > \"5\"", "malformed comparison: size(\"k\") > \"5\" (unknown target size)");
    }

    private static void refuses(String line, String words) {
        assertThatThrownBy(() -> TxnCommand.compare(line)).hasMessage(words).isInstanceOfSatisfying(Failure.class,
                why -> assertThat(why.exitCode()).isEqualTo(3));
    }

    @Test
    void splitsLinesIntoWords() {
        assertThat(Words.of("put key \"a \\\"b\\\"\" 'c d' --lease=1f x")).containsExactly("put", "key", "a \"b\"",
                "c d",
                "--lease=1f", "x");
        assertThat(Words.of("   ")).isEmpty();
        assertThat(Words.of("watch a -- echo 'x'")).containsExactly("watch", "a", "--", "echo", "x");
    }
}
