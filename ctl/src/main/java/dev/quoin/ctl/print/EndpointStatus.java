package dev.quoin.ctl.print;

import dev.quoin.api.etcdserverpb.StatusResponse;

/** What an endpoint says of itself. */
public record EndpointStatus(String endpoint, StatusResponse status) {}
