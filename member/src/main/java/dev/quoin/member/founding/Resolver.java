package dev.quoin.member.founding;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Finds the address of a name, the first if there are several. */
@FunctionalInterface
public interface Resolver {
    Resolver SYSTEM = InetAddress::getByName;

    InetAddress address(String host) throws UnknownHostException;
}
