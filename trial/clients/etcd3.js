// What an unmodified etcd3 (npm) makes of watches, leases and transactions: node etcd3.js URL
// Prints a line for each check and a tally, and exits with 0 only if all held.
'use strict';

const assert = require('node:assert');
const { once } = require('node:events');
const { Etcd3, EtcdLockFailedError } = require('etcd3');

const patienceMillis = 20_000;

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${patienceMillis} ms`)), patienceMillis);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** What a watch has been told, to be taken one after the other. */
async function watching(builder) {
  const told = [];
  let wake = () => {};
  const watcher = await within('the watch', builder.create());
  const tell = (line) => { told.push(line); wake(); };
  watcher.on('put', (kv, before) => tell(`put ${kv.key}=${kv.value}` + (before ? ` was ${before.value}` : '')));
  watcher.on('delete', (kv, before) => tell(`del ${kv.key}` + (before ? ` was ${before.value}` : '')));
  const next = async () => {
    while (told.length === 0) {
      await within('an event', new Promise((resolve) => { wake = resolve; }));
    }
    return told.shift();
  };
  return { next, watcher };
}

const checks = {
  async 'puts, gets and deletes'(etcd) {
    await etcd.put('a').value('1');
    assert.equal(await etcd.get('a').string(), '1');
    assert.deepEqual(await etcd.getAll().prefix('a').strings(), { a: '1' });
    await etcd.delete().key('a');
    assert.equal(await etcd.get('a').string(), null);
  },

  async 'a key is watched'(etcd) {
    const { next, watcher } = await watching(etcd.watch().key('w'));
    await etcd.put('w').value('1');
    await etcd.put('x').value('no');
    await etcd.delete().key('w');
    assert.deepEqual([await next(), await next()], ['put w=1', 'del w']);
    await watcher.cancel();
  },

  async 'a prefix is watched, with what was there before, and one kind of event alone'(etcd) {
    const all = await watching(etcd.watch().prefix('p/').withPreviousKV());
    const deletions = await watching(etcd.watch().prefix('p/').only('delete'));
    await etcd.put('p/a').value('1');
    await etcd.put('p/a').value('2');
    await etcd.delete().key('p/a');
    assert.deepEqual([await all.next(), await all.next(), await all.next()], ['put p/a=1', 'put p/a=2 was 1', 'del p/a was 2']);
    assert.equal(await deletions.next(), 'del p/a');
    await all.watcher.cancel();
    await deletions.watcher.cancel();
  },

  async 'a watch from the past'(etcd) {
    const first = await etcd.put('past').value('1');
    await etcd.put('past').value('2');
    const { next, watcher } = await watching(etcd.watch().key('past').startRevision(first.header.revision));
    assert.deepEqual([await next(), await next()], ['put past=1', 'put past=2']);
    await watcher.cancel();
  },

  async 'fifty watches on one stream'(etcd) {
    const watches = await Promise.all(Array.from({ length: 50 }, (_, i) => watching(etcd.watch().key(`many/${i}`))));
    await Promise.all(watches.map((_, i) => etcd.put(`many/${i}`).value('x')));
    for (const [i, { next, watcher }] of watches.entries()) {
      assert.equal(await next(), `put many/${i}=x`);
      await watcher.cancel();
    }
  },

  async 'a lease takes its keys with it'(etcd) {
    const lease = etcd.lease(30);
    await lease.put('leased').value('1');
    assert.equal(await etcd.get('leased').string(), '1');
    await lease.revoke();
    assert.equal(await etcd.get('leased').string(), null);
  },

  async 'a lease is kept alive, and one that is not is lost'(etcd) {
    const kept = etcd.lease(2);
    await kept.put('kept').value('1');
    const left = etcd.lease(2, { autoKeepAlive: false });
    await left.put('left').value('1');
    const { next, watcher } = await watching(etcd.watch().key('left').only('delete'));
    assert.equal(await next(), 'del left');
    await pause(2_000);
    assert.equal(await etcd.get('kept').string(), '1');
    assert.equal((await kept.keepaliveOnce()).TTL, '2');
    await kept.revoke();
    await watcher.cancel();
  },

  async 'a lease that is revoked elsewhere is reported as lost'(etcd) {
    const lease = etcd.lease(2);
    const id = await lease.grant();
    const lost = once(lease, 'lost');
    await etcd.leaseClient.leaseRevoke({ ID: id });
    await within('the loss', lost);
    assert.ok(lease.revoked());
  },

  async 'a lock is held by one'(etcd) {
    const first = await etcd.lock('lock').ttl(10).acquire();
    await assert.rejects(etcd.lock('lock').ttl(10).acquire(), EtcdLockFailedError);
    await first.release();
    const second = await etcd.lock('lock').ttl(10).acquire();
    await second.release();
  },

  async 'an election: campaign, observe, proclaim, resign'(etcd) {
    const election = etcd.election('seat', 10);
    const observer = await within('the observer', election.observe());
    const changes = [];
    let wake = () => {};
    observer.on('change', (value) => { changes.push(value); wake(); });
    const change = async () => {
      while (changes.length === 0) {
        await within('a change', new Promise((resolve) => { wake = resolve; }));
      }
      return changes.shift();
    };
    const one = election.campaign('one');
    await within('the first', one.wait());
    assert.equal(await change(), 'one');
    const other = election.campaign('other');
    let elected = false;
    other.on('elected', () => { elected = true; });
    await one.proclaim('one again');
    assert.equal(await change(), 'one again');
    assert.equal(await election.leader(), 'one again');
    assert.equal(elected, false);
    await one.resign();
    while (await change() !== 'other') {
      // Between the two there may be nobody.
    }
    assert.equal(await election.leader(), 'other');
    await other.resign();
    await observer.cancel();
  },

  async 'transactions in memory do not lose updates'(etcd) {
    await etcd.put('sum').value('0');
    const add = () => etcd.stm({ retries: 100 }).transact(async (tx) => {
      const was = Number(await tx.get('sum').string());
      await tx.put('sum').value(String(was + 1));
    });
    await Promise.all(Array.from({ length: 10 }, add));
    assert.equal(await etcd.get('sum').string(), '10');
  },
};

async function main() {
  const url = process.argv[2];
  if (!url) {
    console.error('usage: node etcd3.js URL');
    process.exit(2);
  }
  const client = new Etcd3({ hosts: url });
  let passed = 0;
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    const prefix = `etcd3/${process.pid}/${passed + failed}/`;
    const etcd = client.namespace(prefix);
    // A namespace has no services of its own.
    etcd.leaseClient = client.leaseClient;
    try {
      await check(etcd);
      passed++;
      console.log(`ok   ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${name}: ${String(error.message ?? error).replaceAll('\n', ' ')}`);
    }
  }
  client.close();
  console.log(`etcd3: ${passed} passed, ${failed} failed`);
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}

main();
