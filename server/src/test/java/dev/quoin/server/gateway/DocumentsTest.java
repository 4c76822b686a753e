package dev.quoin.server.gateway;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import dev.quoin.base.Bytes;
import dev.quoin.net.HttpBody;
import dev.quoin.net.Status;
import dev.quoin.net.StatusException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Bodies cut into documents, wherever their pieces end, with Go's words for what is none. */
class DocumentsTest {
    private static final int PLENTY = 1_000_000;

    private static HttpBody body(String text, int pieceBytes) {
        byte[] all = text.getBytes(StandardCharsets.UTF_8);
        List<Bytes> pieces = new ArrayList<>();
        for (int at = 0; at < all.length; at += pieceBytes) {
            pieces.add(Bytes.of(all).slice(at, Math.min(pieceBytes, all.length - at)));
        }
        Iterator<Bytes> next = pieces.iterator();
        return new HttpBody() {
            @Override
            public @Nullable Bytes next() {
                return next.hasNext() ? next.next() : null;
            }

            @Override
            public @Nullable Bytes awaitNext() {
                return next();
            }

            @Override
            public void whenGone(Runnable task) {}
        };
    }

    private static List<String> cut(String text, int pieceBytes) throws StatusException, InterruptedException {
        List<String> cut = new ArrayList<>();
        try (Documents documents = new Documents(body(text, pieceBytes), true, PLENTY, new BodyBudget(PLENTY))) {
            for (Bytes one = documents.next(); one != null; one = documents.next()) {
                cut.add(one.toUtf8());
            }
        }
        return cut;
    }

    @Test
    void oneBehindTheOtherWhereverPiecesEnd() throws Exception {
        String text = " {} \n{\"a\":[1,{\"}\":\"\\\"]\"}]}[]12 -0.5e+7true null\"x\"  ";
        for (int pieceBytes = 1; pieceBytes < text.length() + 1; pieceBytes++) {
            assertThat(cut(text, pieceBytes)).as("%d", pieceBytes).containsExactly("{}",
                    "{\"a\":[1,{\"}\":\"\\\"]\"}]}",
                    "[]", "12", "-0.5e+7", "true", "null", "\"x\"");
        }
        assertThat(cut("", 1)).isEmpty();
        assertThat(cut(" \t\r\n", 1)).isEmpty();
        assertThat(cut("7", 1)).containsExactly("7");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "{              | unexpected EOF", //
        "{`a`           | unexpected EOF", //
        "tru            | unexpected EOF", //
        "-              | unexpected EOF", //
        "1e             | unexpected EOF", //
        "}              | invalid character '}' looking for beginning of value", //
        "{`a`:}         | invalid character '}' looking for beginning of value", //
        "{a:1}          | invalid character 'a' looking for beginning of object key string", //
        "{`a`:1,}       | invalid character '}' looking for beginning of object key string", //
        "{`a` 1}        | invalid character '1' after object key", //
        "{`a`:1 `b`:2}  | invalid character '\"' after object key:value pair", //
        "{`a`:01}       | invalid character '1' after object key:value pair", //
        "[1 2]          | invalid character '2' after array element", //
        "[1,]           | invalid character ']' looking for beginning of value", //
        "{`a\\x`:1}     | invalid character 'x' in string escape code", //
        "`\\u12g4`      | invalid character 'g' in \\u hexadecimal character escape", //
        "[-a]           | invalid character 'a' in numeric literal", //
        "[1.]           | invalid character ']' after decimal point in numeric literal", //
        "[1e+]          | invalid character ']' in exponent of numeric literal", //
        "nil            | invalid character 'i' in literal null (expecting 'u')", //
        "trie           | invalid character 'i' in literal true (expecting 'u')", //
        "é              | invalid character 'Ã' looking for beginning of value", //
        "'a'            | invalid character '\\'' looking for beginning of value"})
    void whatIsNoJsonIsNamed(String text, String why) {
        // A quote is written as a backtick here.
        assertThatThrownBy(() -> cut(text.replace('`', '"'), 3)).isInstanceOfSatisfying(StatusException.class,
                refused -> assertThat(refused.status()).isEqualTo(Status.of(Status.Code.INVALID_ARGUMENT, why)));
    }

    @Test
    void controlCharactersAreNamedByTheirNumbers() {
        assertThatThrownBy(() -> cut("\"a\nb\"", 1)).hasMessageEndingWith("invalid character '\\n' in string literal");
        assertThatThrownBy(() -> cut("\"a\u0001b\"", 1))
                .hasMessageEndingWith("invalid character '\\x01' in string literal");
    }

    @Test
    void depthAndLengthAndTheBudgetAreBounded() throws Exception {
        assertThat(cut("[".repeat(1_000) + "]".repeat(1_000), 100)).hasSize(1);
        assertThatThrownBy(() -> cut("[".repeat(1_001), 100)).hasMessageEndingWith("exceeded max depth");
        BodyBudget budget = new BodyBudget(3_000);
        try (Documents first = new Documents(body("\"" + "a".repeat(1_998) + "\"", 100), false, 2_000, budget)) {
            assertThat(first.next()).isNotNull();
            try (Documents second = new Documents(body("\"" + "a".repeat(1_998) + "\"", 100), false, 2_000, budget)) {
                assertThatThrownBy(second::next).hasMessageContaining("RESOURCE_EXHAUSTED: too many bytes");
            }
        }
        try (Documents again = new Documents(body("\"" + "a".repeat(1_999) + "\"", 100), false, 2_000, budget)) {
            assertThatThrownBy(again::next).hasMessageContaining("RESOURCE_EXHAUSTED: a JSON document is larger than");
        }
    }

    @Test
    void longOnesAreWholeAndTheBudgetIsGivenBack() throws Exception {
        List<String> all = IntStream.of(65_534, 1, 65_533, 65_535, 131_070, 7, 400_000, 131_071)
                .mapToObj(length -> "\"" + "abcdefg".repeat(length / 7 + 1).substring(0, length) + "\"").toList();
        BodyBudget budget = new BodyBudget(500_000);
        try (Documents documents = new Documents(body(String.join(" ", all), 9_999), true, PLENTY, budget)) {
            for (String one : all) {
                assertThat(documents.next()).isEqualTo(Bytes.utf8(one));
            }
            assertThat(documents.next()).isNull();
            assertThat(budget.take(400_000)).isTrue();
            budget.giveBack(400_000);
        }
        assertThat(budget.take(500_000)).as("all of it is there again").isTrue();
        assertThat(budget.take(1)).isFalse();
    }

    @Test
    void theRestIsPassedOver() throws Exception {
        try (Documents documents = new Documents(body("{} and more of it", 4), false, PLENTY, new BodyBudget(PLENTY))) {
            assertThat(documents.next()).isEqualTo(Bytes.utf8("{}"));
            documents.skipRest();
            assertThat(documents.next()).isNull();
        }
    }
}
