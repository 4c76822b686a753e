package dev.quoin.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

import static org.assertj.core.api.Assertions.assertThat;

/** The whole table, asked of us. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FrontTableTest {
    @SuppressWarnings("NullAway.Init")
    private NetServer server;

    @BeforeAll
    void start() throws Exception {
        server = TestService.start();
    }

    @AfterAll
    void stop() {
        server.close();
    }

    @TestFactory
    Stream<DynamicTest> everyRow() {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port());
        FrontTable.Target target = FrontTable.testService(address);
        return FrontTable.rows().stream().map(row -> DynamicTest.dynamicTest(row.name(),
                () -> assertThat(row.answer(target)).isEqualTo(row.expected(target))));
    }

    @Test
    void noTwoRowsShareAName() {
        List<String> names = FrontTable.rows().stream().map(FrontTable.Row::name).toList();
        Set<String> distinct = new HashSet<>(names);
        assertThat(names).hasSize(distinct.size());
    }
}
