package dev.quoin.ctl.command;

import java.util.List;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.ctl.cli.Failure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Cases from etcd's own table (etcdctl/ctlv3/command/watch_command_test.go). */
class WatchArgumentsTest {
    private static List<String> words(String text) {
        return text.isEmpty() ? List.of() : List.of(text.split(" ", -1));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        // the whole line | what is no flag | key and end of the environment | keys | command
        "etcdctl watch foo bar | foo bar | '' | '' | foo bar | ''",
        "etcdctl watch foo bar -- | foo bar | '' | '' | ! separator | ''",
        "etcdctl watch | '' | '' | '' | ! number | ''",
        "etcdctl watch | '' | foo | bar | foo bar | ''", "etcdctl watch foo | foo | foo | '' | ! conflicting | ''",
        "etcdctl watch foo bar -- echo watch event received | foo bar echo watch event received | '' | '' | foo bar | echo watch event received",
        "etcdctl watch foo --rev 1 -- echo watch event received | foo echo watch event received | '' | '' | foo | echo watch event received",
        "etcdctl watch --rev 1 -- echo Hello World | echo Hello World | foo | '' | foo | echo Hello World",
        "etcdctl watch --rev 1 foo bar -- echo Hello World | foo bar echo Hello World | '' | '' | foo bar | echo Hello World",
        "etcdctl watch -- echo Hello World | echo Hello World | foo | bar | foo bar | echo Hello World",
        "etcdctl watch foo bar -- echo Hello World | foo bar echo Hello World | foo | '' | ! conflicting | ''",
        "etcdctl watch foo -- echo Hello World | foo echo Hello World | foo | '' | ! conflicting | ''",
        "etcdctl watch -- sleep 1 -- x | sleep 1 -- x | foo | '' | foo | sleep 1 -- x"})
    void ofACommandLine(String line, String arguments, String key, String end, String keys, String command) {
        WatchArguments.Named named = new WatchArguments.Named(key, end);
        if (keys.startsWith("!")) {
            assertThatThrownBy(() -> WatchArguments.ofLine(words(line), words(arguments), named))
                    .isInstanceOfSatisfying(Failure.class, why -> assertThat(why.exitCode()).isEqualTo(128))
                    .hasMessageContaining(keys.substring(2));
            return;
        }
        WatchArguments read = WatchArguments.ofLine(words(line), words(arguments), named);
        assertThat(read.keys()).isEqualTo(words(keys));
        assertThat(read.command()).isEqualTo(words(command));
    }
}
