package dev.quoin.net;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.netty.buffer.ByteBufAllocator;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails a test class after which a buffer was collected without having been released. */
public final class LeakCheck implements AfterAllCallback {
    private static final Queue<String> LEAKS = new ConcurrentLinkedQueue<>();

    /** Where Netty's detector writes to (logback-test.xml). */
    public static final class Appender extends AppenderBase<ILoggingEvent> {
        @Override
        protected void append(ILoggingEvent event) {
            LEAKS.add(event.getFormattedMessage());
        }
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        System.gc();
        Thread.sleep(50);
        for (int i = 0; i < 200; i++) {
            // The detector reports what was collected when it next tracks a buffer.
            ByteBufAllocator.DEFAULT.directBuffer(64).release();
        }
        List<String> leaks = new ArrayList<>(LEAKS);
        LEAKS.clear();
        if (!leaks.isEmpty()) {
            throw new AssertionError(leaks.size() + " leaks, the first: " + leaks.getFirst());
        }
    }
}
