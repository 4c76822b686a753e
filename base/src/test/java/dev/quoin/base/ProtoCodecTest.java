package dev.quoin.base;

import java.util.HexFormat;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ProtoCodecTest {
    @Test
    void whatIsWrittenIsReadBack() {
        ProtoWriter writer = new ProtoWriter(0);
        writer.varintField(1, -1);
        writer.varintFieldIfSet(2, 0);
        writer.bytesField(3, Bytes.utf8("value"));
        writer.varintField(64, 300);

        ProtoReader reader = new ProtoReader(Bytes.of(writer.toByteArray()));
        int tag = reader.tag();
        assertThat(ProtoReader.field(tag)).isEqualTo(1);
        assertThat(reader.varint(tag)).isEqualTo(-1);
        tag = reader.tag();
        assertThat(ProtoReader.field(tag)).isEqualTo(3);
        assertThat(reader.bytes(tag)).isEqualTo(Bytes.utf8("value"));
        tag = reader.tag();
        assertThat(ProtoReader.field(tag)).isEqualTo(64);
        reader.skip(tag);
        assertThat(reader.tag()).isZero();
    }

    @Test
    void sizesAreThoseOfTheBytes() {
        for (int bit = 0; bit < 64; bit++) {
            ProtoWriter writer = new ProtoWriter(0);
            writer.varint(1L << bit);
            assertThat(writer.size()).isEqualTo(ProtoWriter.varintSize(1L << bit));
        }
    }

    @Test
    void aLengthBeyondTheInputIsRefusedBeforeAnythingIsAllocated() {
        ProtoReader reader = new ProtoReader(Bytes.of(HexFormat.of().parseHex("1affffffff0f00")));
        int tag = reader.tag();
        assertThatThrownBy(() -> reader.bytes(tag)).isInstanceOf(ProtoReader.Malformed.class)
                .hasMessage("field 3 claims 4294967295 bytes, 1 are left");
    }

    @Test
    void anEndlessNumberIsRefused() {
        ProtoReader reader = new ProtoReader(Bytes.of(HexFormat.of().parseHex("ffffffffffffffffffffff01")));
        assertThatThrownBy(reader::varint).isInstanceOf(ProtoReader.Malformed.class);
    }

    private static ProtoReader reader(String hex) {
        return new ProtoReader(Bytes.of(HexFormat.of().parseHex(hex)));
    }

    @Test
    void aNumberOfMoreThan64BitsIsRefused() {
        assertThat(reader("ffffffffffffffffff01").varint()).isEqualTo(-1);
        assertThatThrownBy(reader("ffffffffffffffffff02")::varint).isInstanceOf(ProtoReader.Malformed.class);
    }

    @Test
    void aGroupIsPassedOverWithAllInIt() {
        // group 20 { 1: 5, group 21 {}, 2: "x" }, then field 1
        ProtoReader reader = reader("a301" + "0805" + "ab01" + "ac01" + "120178" + "a401" + "0807");
        reader.skip(reader.tag());
        int tag = reader.tag();
        assertThat(reader.varint(tag)).isEqualTo(7);
        assertThat(reader.tag()).isZero();
    }

    @Test
    void aGroupThatDoesNotEndAsItBeganIsRefused() {
        for (String hex : new String[]{"a301", "a3010805", "a301ac01", "a301ab01a401", "a401"}) {
            ProtoReader reader = reader(hex);
            int tag = reader.tag();
            assertThatThrownBy(() -> reader.skip(tag)).as(hex).isInstanceOf(ProtoReader.Malformed.class);
        }
        ProtoReader bottomless = reader("a301".repeat(20_000));
        int tag = bottomless.tag();
        assertThatThrownBy(() -> bottomless.skip(tag)).isInstanceOf(ProtoReader.Malformed.class)
                .hasMessageContaining("nested deeper");
    }
}
