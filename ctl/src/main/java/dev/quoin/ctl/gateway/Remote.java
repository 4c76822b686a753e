package dev.quoin.ctl.gateway;

/**
 * A server that connections are passed on to.
 *
 * @param priority of its SRV record: while one of a lower number can be reached, this one is not used
 * @param weight of its SRV record: its share beside others of the same priority; 0 beside others of 0 for taking turns
 */
record Remote(HostPort place, int priority, int weight) {
    /** One that was given by hand. */
    static Remote at(HostPort place) {
        return new Remote(place, 0, 0);
    }
}
