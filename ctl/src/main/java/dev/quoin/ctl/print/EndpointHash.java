package dev.quoin.ctl.print;

import dev.quoin.api.etcdserverpb.HashKVResponse;

/** The hash of an endpoint's keys and their history. */
public record EndpointHash(String endpoint, HashKVResponse answer) {}
