package dev.quoin.server;

import java.nio.file.Path;

import org.junit.jupiter.api.Test;

import dev.quoin.disk.Damaged;
import dev.quoin.store.AlarmMember;

import static org.assertj.core.api.Assertions.assertThat;

/** Texts that operators read in Status. */
class MaintenanceServiceTest {
    @Test
    void anAlarmIsPrintedWithTheFieldsThatAreSet() {
        assertThat(MaintenanceService.text(new AlarmMember(-7, AlarmMember.NO_SPACE)))
                .isEqualTo("memberID:18446744073709551609 alarm:NOSPACE");
        assertThat(MaintenanceService.text(new AlarmMember(0, AlarmMember.CORRUPT))).isEqualTo("alarm:CORRUPT");
        assertThat(MaintenanceService.text(new AlarmMember(77, AlarmMember.NONE))).isEqualTo("memberID:77");
        assertThat(MaintenanceService.text(new AlarmMember(77, 9))).isEqualTo("memberID:77 alarm:9");
    }

    @Test
    void aLostRecordIsNamed() {
        Damaged damaged = new Damaged(Path.of("f"), 1_000, "it fails its checksum");
        assertThat(Errors.lost(damaged).message())
                .isEqualTo("quoin: f is damaged at byte 1,000: it fails its checksum");
    }
}
