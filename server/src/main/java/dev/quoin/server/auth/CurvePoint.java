package dev.quoin.server.auth;

import java.math.BigInteger;
import java.security.spec.ECFieldFp;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;

import dev.quoin.base.Invariant;

/**
 * Multiplication of a curve's generator, to find the public key that belongs to a private one: once for each key that is read,
 * where nobody measures how long it takes. Everything else is left to the JDK.
 */
final class CurvePoint {
    private CurvePoint() {}

    /** The generator, added to itself so many times. */
    static ECPoint times(BigInteger factor, ECParameterSpec curve) {
        Invariant.check(curve.getCurve().getField() instanceof ECFieldFp, "a curve that is not over a prime");
        BigInteger prime = ((ECFieldFp) curve.getCurve().getField()).getP();
        BigInteger a = curve.getCurve().getA();
        ECPoint product = ECPoint.POINT_INFINITY;
        for (int bit = factor.bitLength() - 1; bit >= 0; bit--) {
            product = sum(product, product, a, prime);
            if (factor.testBit(bit)) {
                product = sum(product, curve.getGenerator(), a, prime);
            }
        }
        return product;
    }

    /** The chord's or tangent's third point, mirrored (SEC 1 §2.2.1). */
    private static ECPoint sum(ECPoint one, ECPoint other, BigInteger a, BigInteger prime) {
        if (one.equals(ECPoint.POINT_INFINITY)) {
            return other;
        }
        if (other.equals(ECPoint.POINT_INFINITY)) {
            return one;
        }
        BigInteger rise;
        BigInteger run;
        if (one.getAffineX().equals(other.getAffineX())) {
            if (!one.getAffineY().equals(other.getAffineY())) {
                return ECPoint.POINT_INFINITY;
            }
            rise = one.getAffineX().pow(2).multiply(BigInteger.valueOf(3)).add(a);
            run = one.getAffineY().shiftLeft(1);
        } else {
            rise = other.getAffineY().subtract(one.getAffineY());
            run = other.getAffineX().subtract(one.getAffineX());
        }
        BigInteger slope = rise.multiply(run.mod(prime).modInverse(prime)).mod(prime);
        BigInteger x = slope.pow(2).subtract(one.getAffineX()).subtract(other.getAffineX()).mod(prime);
        BigInteger y = slope.multiply(one.getAffineX().subtract(x)).subtract(one.getAffineY()).mod(prime);
        return new ECPoint(x, y);
    }
}
