package dev.quoin.ctl.command;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.quoin.ctl.cli.Failure;
import dev.quoin.ctl.text.Malformed;
import dev.quoin.ctl.text.Scanner;

/** Splits a line that was typed into words, quoted ones among them (etcd: util.go, Argify). */
final class Words {
    private static final Pattern WORD = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"|'[^']*'|[^'\"\\s]\\S*[^'\"\\s]?");

    private Words() {}

    static List<String> of(String line) {
        List<String> words = new ArrayList<>();
        Matcher matcher = WORD.matcher(line);
        while (matcher.find()) {
            String word = matcher.group();
            words.add(switch (word.charAt(0)) {
                case '\'' -> word.substring(1, word.length() - 1);
                case '"' -> unquoted(word);
                default -> word;
            });
        }
        return words;
    }

    private static String unquoted(String word) {
        try {
            return new String(new Scanner(word).quoted(), StandardCharsets.UTF_8);
        } catch (Malformed why) {
            throw Failure.invalidInput(String.valueOf(why.getMessage()));
        }
    }
}
