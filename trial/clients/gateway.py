# Asks a server through etcd3gw, the Python client of etcd's JSON gateway, for all that it offers. Its package ships no tests
# that run against a server. One line per check, `ok   NAME` or `FAIL NAME: WHY`.
#
#   gateway.py http://127.0.0.1:2379
import sys
import threading
import time
import urllib.parse

import etcd3gw
from etcd3gw import exceptions
from etcd3gw.lock import Lock
from etcd3gw.utils import _encode

url = urllib.parse.urlparse(sys.argv[1])
client = etcd3gw.client(host=url.hostname, port=url.port, timeout=20)
checks = []


def check(function):
    checks.append(function)
    return function


def equal(got, wanted):
    if got != wanted:
        raise AssertionError('%r is not %r' % (got, wanted))


@check
def put_and_get():
    equal(client.put('one', 'value'), True)
    equal(client.get('one'), [b'value'])
    equal(client.get('none'), [])
    [(value, meta)] = client.get('one', metadata=True)
    equal((value, meta['key'], meta['version']), (b'value', b'one', '1'))


@check
def bytes_that_are_no_text():
    odd = bytes(range(256))
    equal(client.put(odd, odd), True)
    equal(client.get(odd), [odd])


@check
def prefixes_and_orders():
    for name in ('p/b', 'p/a', 'p/c'):
        client.put(name, name)
    equal([value for value, _ in client.get_prefix('p/')], [b'p/a', b'p/b', b'p/c'])
    equal([value for value, _ in client.get_prefix('p/', sort_order='descend', sort_target='key')], [b'p/c', b'p/b', b'p/a'])
    equal(len(client.get_all()) >= 4, True)


@check
def deletions():
    client.put('gone', 'x')
    equal(client.delete('gone'), True)
    equal(client.delete('gone'), False)
    equal(client.delete_prefix('p/'), True)
    equal(client.get_prefix('p/'), [])


@check
def only_if_it_is_not_there():
    client.delete('created')
    equal(client.create('created', '1'), True)
    equal(client.create('created', '2'), False)
    equal(client.get('created'), [b'1'])


@check
def replaced_if_it_is_what_it_was():
    client.put('changed', 'old')
    equal(client.replace('changed', 'other', 'new'), False)
    equal(client.replace('changed', 'old', 'new'), True)
    equal(client.get('changed'), [b'new'])


@check
def transactions():
    key = _encode('txn')
    client.put('txn', 'x')
    done = client.transaction({
        'compare': [{'key': key, 'result': 'EQUAL', 'target': 'VALUE', 'value': _encode('x')}],
        'success': [{'request_put': {'key': key, 'value': _encode('y')}}, {'request_range': {'key': key}}],
        'failure': [{'request_range': {'key': key}}],
    })
    equal(done['succeeded'], True)
    equal(done['responses'][1]['response_range']['kvs'][0]['value'], _encode('y'))


@check
def leases():
    lease = client.lease(ttl=60)
    client.put('leased', 'x', lease=lease)
    equal(0 < lease.ttl() <= 60, True)
    equal(lease.refresh(), 60)
    equal(lease.keys(), [b'leased'])
    equal(lease.revoke(), True)
    equal(client.get('leased'), [])
    equal(lease.ttl(), -1)


@check
def locks():
    lock = Lock('lock', ttl=10, client=client)
    other = Lock('lock', ttl=10, client=client)
    equal(lock.acquire(), True)
    equal(other.acquire(), False)
    equal(lock.is_acquired(), True)
    equal(lock.refresh(), 10)
    equal(lock.release(), True)
    equal(lock.is_acquired(), False)
    with other:
        equal(other.is_acquired(), True)


@check
def watches():
    events, cancel = client.watch('watched')
    writer = threading.Timer(0.2, lambda: (client.put('watched', '1'), client.delete('watched')))
    writer.start()
    first, second = next(events), next(events)
    cancel()
    equal(first['kv']['value'], b'1')
    equal(second['type'], 'DELETE')
    writer.join()


@check
def one_event_or_none():
    threading.Timer(0.2, lambda: client.put('once', '1')).start()
    equal(client.watch_once('once', timeout=10)['kv']['value'], b'1')
    began = time.monotonic()
    try:
        client.watch_once('never', timeout=1)
        raise AssertionError('something came')
    except exceptions.WatchTimedOut:
        equal(time.monotonic() - began < 5, True)


@check
def ranges_are_watched():
    # watch_prefix encodes the end of the range twice, and so finds nothing in etcd either.
    events, cancel = client.watch('watched/', range_end='watched0')
    threading.Timer(0.2, lambda: client.put('watched/a', '1')).start()
    equal(next(events)['kv']['key'], b'watched/a')
    cancel()


@check
def large_values_are_watched():
    large = bytes(range(256)) * 4000
    events, cancel = client.watch('large')
    threading.Timer(0.2, lambda: client.put('large', large)).start()
    equal(next(events)['kv']['value'], large)
    cancel()


@check
def members_and_status():
    equal(len(client.members()), 1)
    equal(client.status()['version'].count('.'), 2)


failed = 0
for one in checks:
    name = one.__name__.replace('_', ' ')
    try:
        one()
        print('ok   ' + name, flush=True)
    except Exception as why:
        failed += 1
        print('FAIL %s: %s %s' % (name, type(why).__name__, why), flush=True)
sys.exit(1 if failed else 0)
