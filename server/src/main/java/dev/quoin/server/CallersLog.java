package dev.quoin.server;

import com.google.protobuf.ByteString;

import dev.quoin.api.etcdserverpb.TxnRequest;
import dev.quoin.base.Bytes;
import dev.quoin.member.Requests;
import dev.quoin.net.Call;
import dev.quoin.net.StatusException;
import dev.quoin.store.Caller;
import dev.quoin.store.Command;
import dev.quoin.store.KeyRange;
import dev.quoin.store.Outcome;

/** What calls that are made of others write and read, each time in the name of who calls. For handlers that may wait. */
record CallersLog(Access access, MemberCalls calls) {
    Outcome.Txned txn(Call call, TxnRequest request) throws StatusException, InterruptedException {
        return calls.txn(request, permitted(call, Requests.txn(Bytes.of(request.toByteArray()))));
    }

    Outcome.Deleted delete(Call call, ByteString key) throws StatusException, InterruptedException {
        KeyRange range = KeyRange.single(Bytes.of(key.toByteArray()));
        return calls.delete(key, permitted(call, new Command.DeleteRange(range, false)));
    }

    private Caller permitted(Call call, Command command) throws StatusException, InterruptedException {
        return access.permit(call, Access.Word.OF_THE_LOG, Access.doing(command));
    }

    /** For one call. */
    Places.Log of(Call call) {
        return new Places.Log() {
            @Override
            public Outcome.Txned txn(TxnRequest request) throws StatusException, InterruptedException {
                return CallersLog.this.txn(call, request);
            }

            @Override
            public Outcome.Txned takeBack(TxnRequest request) throws StatusException, InterruptedException {
                return calls.txn(request, calls.ownName());
            }

            @Override
            public void checkRead(KeyRange range) throws StatusException, InterruptedException {
                access.permit(call, Access.Word.OF_THE_MEMBER, Access.reading(range));
            }

            @Override
            public void checkWatch(KeyRange range) throws StatusException, InterruptedException {
                access.permit(call, Access.Word.OF_THE_MEMBER, Access.watching(range));
            }
        };
    }
}
