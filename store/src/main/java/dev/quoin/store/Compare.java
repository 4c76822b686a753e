package dev.quoin.store;

import dev.quoin.base.Bytes;

/**
 * A condition of a transaction on every key of a range. On a range without keys it is a condition on a KeyValue of
 * zeros, except that a condition on the value never holds there.
 *
 * @param number what version, revision or lease are compared with: 0 unless the request's operand is of the target's
 *        own kind
 * @param value what the value is compared with: empty unless the request's operand is a value
 */
public record Compare(KeyRange range, Target target, Result result, long number, Bytes value) {
    /** The numbers of {@code Compare.CompareTarget}; what is not among them compares as equal. */
    public enum Target {
        VERSION,
        CREATE,
        MOD,
        VALUE,
        LEASE,
        UNKNOWN;

        public static Target of(int number) {
            return switch (number) {
                case 0 -> VERSION;
                case 1 -> CREATE;
                case 2 -> MOD;
                case 3 -> VALUE;
                case 4 -> LEASE;
                default -> UNKNOWN;
            };
        }
    }

    /** The numbers of {@code Compare.CompareResult}; what is not among them always holds. */
    public enum Result {
        EQUAL,
        GREATER,
        LESS,
        NOT_EQUAL,
        UNKNOWN;

        public static Result of(int number) {
            return switch (number) {
                case 0 -> EQUAL;
                case 1 -> GREATER;
                case 2 -> LESS;
                case 3 -> NOT_EQUAL;
                default -> UNKNOWN;
            };
        }

        /** Whether what is there compares with the operand ({@code comparison} as in {@code compareTo}) as wished. */
        boolean holds(int comparison) {
            return switch (this) {
                case EQUAL -> comparison == 0;
                case GREATER -> comparison > 0;
                case LESS -> comparison < 0;
                case NOT_EQUAL -> comparison != 0;
                case UNKNOWN -> true;
            };
        }
    }

    /** A condition on a version, a revision or a lease. */
    public static Compare number(KeyRange range, Target target, Result result, long number) {
        return new Compare(range, target, result, number, Bytes.EMPTY);
    }

    /** A condition on the value. */
    public static Compare value(KeyRange range, Result result, Bytes value) {
        return new Compare(range, Target.VALUE, result, 0, value);
    }
}
