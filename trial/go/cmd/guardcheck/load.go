package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"quoin.dev/trial/internal/certificates"
)

const (
	prefix    = "guarded/"
	prefixEnd = "guarded0"
)

// load is clients that put, get and watch all the while, each at one member and over one connection.
type load struct {
	clients []*client
	ending  atomic.Bool
	group   sync.WaitGroup
}

// client writes one key, over and over, and watches what it writes.
type client struct {
	*clientv3.Client
	name  string
	key   string
	dials atomic.Int64
	err   error // the first
	puts  int
	heard clientv3.WatchChan
}

// load begins, with a client for each of byPassword, at the members in turns. All show a certificate with the user's name; those
// by password have a token besides, which goes before it. A client that has none since access is not controlled yet gets one
// when it needs it.
func (t *trial) load(authority *certificates.Authority, byPassword ...bool) (*load, error) {
	l := &load{}
	for i, byPassword := range byPassword {
		m := t.Members[i%len(t.Members)]
		c := &client{name: fmt.Sprintf("client %d, at %s", i, m.Name), key: prefix + strconv.Itoa(i)}
		config := clientv3.Config{Endpoints: []string{m.Client}, DialTimeout: patience, Logger: zap.NewNop(),
			DialOptions: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
				c.dials.Add(1)
				return (&net.Dialer{}).DialContext(ctx, "tcp", address)
			})}}
		if byPassword {
			config.Username, config.Password = user, password
		}
		var err error
		if config.TLS, err = authority.Client(user); err != nil {
			return nil, err
		}
		if c.Client, err = clientv3.New(config); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		l.clients = append(l.clients, c)
		if _, err := c.Delete(context.Background(), c.key); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		c.heard = c.Watch(context.Background(), c.key, clientv3.WithCreatedNotify())
		<-c.heard
		l.group.Go(func() {
			for c.err == nil && !l.ending.Load() {
				c.err = c.once()
			}
		})
	}
	return l, nil
}

// once puts the next number, and reads it back.
func (c *client) once() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	value := strconv.Itoa(c.puts + 1)
	if _, err := c.Put(ctx, c.key, value); err != nil {
		return fmt.Errorf("put %s: %w", value, err)
	}
	c.puts++
	answer, err := c.Get(ctx, c.key)
	if err != nil {
		return fmt.Errorf("get %s: %w", value, err)
	}
	if len(answer.Kvs) != 1 || string(answer.Kvs[0].Value) != value || answer.Kvs[0].Version != int64(c.puts) {
		return fmt.Errorf("%s was put, and then was there: %v", value, answer.Kvs)
	}
	return nil
}

// end ends the load, and says what went wrong.
func (l *load) end(ctx context.Context) error {
	l.ending.Store(true)
	l.group.Wait()
	var errs []error
	for _, c := range l.clients {
		err := errors.Join(c.err, c.heardAll(ctx))
		if n := c.dials.Load(); n != 1 {
			err = errors.Join(err, fmt.Errorf("it has connected %d times", n))
		}
		if c.puts < 3 {
			err = errors.Join(err, fmt.Errorf("it was served %d times: that is no load", c.puts))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
		c.Close()
	}
	return errors.Join(errs...)
}

// heardAll says whether its watch was told each put, once and in order.
func (c *client) heardAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for next := 1; next <= c.puts; {
		select {
		case news, open := <-c.heard:
			if err := news.Err(); err != nil || !open {
				return fmt.Errorf("its watch has ended: %w", err)
			}
			for _, event := range news.Events {
				if string(event.Kv.Value) != strconv.Itoa(next) {
					return fmt.Errorf("its watch was told %s in place of %d", event.Kv.Value, next)
				}
				next++
			}
		case <-ctx.Done():
			return fmt.Errorf("its watch was told nothing of %d: %w", next, ctx.Err())
		}
	}
	return nil
}
