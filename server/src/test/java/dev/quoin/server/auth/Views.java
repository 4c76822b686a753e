package dev.quoin.server.auth;

import java.util.ArrayList;
import java.util.List;

import dev.quoin.base.Bytes;
import dev.quoin.store.AuthCommand;
import dev.quoin.store.AuthView;
import dev.quoin.store.Command;
import dev.quoin.store.Records;
import dev.quoin.store.Store;

/** Users as a store has them. */
final class Views {
    private Views() {}

    /** After these commands. */
    static AuthView after(AuthCommand... commands) {
        List<Bytes> payloads = new ArrayList<>();
        Store store = new Store(new Records() {
            @Override
            public long append(long main, int sub, int kind, Bytes payload) {
                payloads.add(payload);
                return payloads.size() - 1L;
            }

            @Override
            public Bytes read(long position) {
                return payloads.get((int) position);
            }

            @Override
            public int length(long position) {
                return payloads.get((int) position).length();
            }
        }, 2);
        store.restored();
        for (AuthCommand command : commands) {
            store.apply(new Command.Auth(command));
        }
        store.publish();
        return store.view().auth();
    }
}
