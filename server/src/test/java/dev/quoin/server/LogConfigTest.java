package dev.quoin.server;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import dev.quoin.server.config.Flags;
import dev.quoin.server.config.Refused;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/** The flags about logs; what is refused, and how, was asked of etcd 3.7.1. */
class LogConfigTest {
    private static LogConfig config(String... args) throws Refused {
        return LogConfig.of(((Flags.Wish.Start) Flags.read(args, Map.of())).flags());
    }

    private static void assertRefused(String message, String... args) {
        Refused refused = catchThrowableOfType(Refused.class, () -> config(args));
        assertThat(refused).as(String.join(" ", args)).isNotNull();
        assertThat(refused.form() + ": " + refused.getMessage()).startsWith(message);
    }

    @Test
    void byItselfItIsStandardErrorInJson() throws Refused {
        assertThat(config()).isEqualTo(new LogConfig(LogLevel.INFO, false, List.of("stderr"), null));
        assertThat(config("--log-outputs=default")).isEqualTo(config());
    }

    @Test
    void outputsLevelAndFormat() throws Refused {
        assertThat(config("--log-outputs=stdout,f,stderr,f", "--log-level=WARN", "--log-format=console"))
                .isEqualTo(new LogConfig(LogLevel.WARN, true, List.of("f", "stderr", "stdout"), null));
        assertThat(config("--log-outputs=stderr,/dev/null").outputs()).containsExactly("/dev/null");
        assertThat(config("--log-level=panic").level()).isEqualTo(LogLevel.FATAL);
    }

    @Test
    void rotation() throws Refused {
        assertThat(config("--enable-log-rotation", "--log-outputs=f").rotation())
                .isEqualTo(new LogConfig.Rotation(100L << 20, 0, 0, false, false));
        assertThat(config("--enable-log-rotation", "--log-outputs=f,stderr",
                "--log-rotation-config-json={\"maxsize\": 1,"
                        + " \"maxage\": 2, \"maxbackups\": 3, \"localtime\": true, \"compress\": true, \"other\": 1}")
                .rotation())
                .isEqualTo(new LogConfig.Rotation(1L << 20, 2, 3, true, true));
        assertThat(config("--log-rotation-config-json=x").rotation()).as("nobody looks at it").isNull();
    }

    @Test
    void whatIsRefused() {
        assertRefused("CHECK: unknown logger option \"x\"", "--logger=x");
        assertRefused("CHECK: --logger=capnslog is removed in v3.5", "--logger=capnslog");
        assertRefused("PANIC: unrecognized level: \"bogus\"", "--log-level=bogus");
        assertRefused("CHECK: unknown log format: x, supported values json, console", "--log-format=x");
        assertRefused("CHECK: multi logoutput for \"default\" is not supported yet", "--log-outputs=default,stderr");
        assertRefused("CHECK: running with systemd/journal but other '--log-outputs' values ([\"stderr\""
                + " \"systemd/journal\"]) are configured with 'default'; override 'default' value with something else",
                "--log-outputs=systemd/journal,stderr");
        String onlyOne = "CHECK: --log-outputs requires a single file path when --log-rotate-config-json is defined";
        assertRefused(onlyOne, "--enable-log-rotation");
        assertRefused(onlyOne, "--enable-log-rotation", "--log-outputs=f,g");
        assertRefused("CHECK: improperly formatted log rotation config: ", "--enable-log-rotation", "--log-outputs=f",
                "--log-rotation-config-json={");
        assertRefused("CHECK: invalid log rotation config: maxsize is \"x\"", "--enable-log-rotation",
                "--log-outputs=f",
                "--log-rotation-config-json={\"maxsize\": \"x\"}");
    }
}
