package dev.quoin.base;

import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class VersionsTest {
    @Test
    void ourOwnIsThatOfTheBuild() throws Exception {
        assertThat(Files.readString(Path.of("../pom.xml")))
                .contains("<version>" + Versions.QUOIN + "-SNAPSHOT</version>");
    }

    @Test
    void theApiIsThatOfTheEtcdThatIsClaimed() {
        assertThat(Versions.ETCD).matches("\\d+\\.\\d+\\.\\d+").startsWith(Versions.API + ".");
    }
}
