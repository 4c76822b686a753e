package dev.quoin.store;

import java.util.HexFormat;

import org.junit.jupiter.api.Test;

import dev.quoin.base.Bytes;

import static org.assertj.core.api.Assertions.assertThat;

class KeyValuesTest {
    private static Bytes hex(String digits) {
        return Bytes.of(HexFormat.of().parseHex(digits));
    }

    @Test
    void fieldsAreWrittenInOrderAsGoWritesThem() {
        Bytes encoded = KeyValues.encode(Bytes.utf8("foo"), 2, 300, 5, Bytes.utf8("bar"), 7);
        assertThat(encoded).isEqualTo(hex("0a03666f6f" + "1002" + "18ac02" + "2005" + "2a03626172" + "3007"));
        assertThat(KeyValues.decode(encoded)).isEqualTo(
                new KeyValues.KeyValue(Bytes.utf8("foo"), 2, 300, 5, Bytes.utf8("bar"), 7));
    }

    @Test
    void zerosAreLeftOut() {
        assertThat(KeyValues.encode(Bytes.utf8("k"), 2, 2, 1, Bytes.EMPTY, 0))
                .isEqualTo(hex("0a016b" + "10021802" + "2001"));
        assertThat(KeyValues.decode(Bytes.EMPTY)).isEqualTo(
                new KeyValues.KeyValue(Bytes.EMPTY, 0, 0, 0, Bytes.EMPTY, 0));
    }

    @Test
    void aNegativeLeaseTakesTenBytes() {
        Bytes encoded = KeyValues.encode(Bytes.utf8("k"), 2, 2, 1, Bytes.EMPTY, -1);
        assertThat(encoded).isEqualTo(hex("0a016b" + "10021802" + "2001" + "30ffffffffffffffffff01"));
        assertThat(KeyValues.decode(encoded).lease()).isEqualTo(-1);
    }

    @Test
    void theValueCanBeTakenOutAndTheLeaseStays() {
        Bytes encoded = KeyValues.encode(Bytes.utf8("k"), 2, 3, 4, Bytes.utf8("v"), 9);
        assertThat(KeyValues.withoutValue(encoded))
                .isEqualTo(KeyValues.encode(Bytes.utf8("k"), 2, 3, 4, Bytes.EMPTY, 9));
    }
}
