package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/process"
)

// Long lists: every key of a range, read whole, in pages and as a stream, by one client and by several at once. Measured
// are the time until the last of them has everything, and the server's processor time and peak of memory meanwhile. Here
// the client is grpc-go with its own windows, as in etcd's clients; it takes answers as bytes, without decoding values.

const (
	listPrefix    = "list/"
	listEnd       = "list0"
	listPageKeys  = 500
	listTxnPuts   = 100
	listAnswerMax = 2<<30 - 1
	listStopped   = 200 // readers that stop after the first message
)

// listCell is a way to read the list, by so many clients at once.
type listCell struct {
	name    string
	clients int
	read    func(ctx context.Context, conn *grpc.ClientConn, keys int) error
}

var listCells = []listCell{
	{"unary, 1 client", 1, readUnary}, {"unary, 8 clients", 8, readUnary},
	{"pages of 500, 1 client", 1, readPages}, {"pages of 500, 8 clients", 8, readPages},
	{"RangeStream, 1 client", 1, readStream}, {"RangeStream, 8 clients", 8, readStream},
}

// listsTurn reads every list, once uncounted and once counted, and then meets readers that stop.
func (p *plan) listsTurn(ctx context.Context, c *contender, row func(string) note) error {
	if err := c.fillList(ctx, p.listKeys, p.listValueBytes); err != nil {
		return err
	}
	time.Sleep(p.settle) // let it write what it writes behind
	// A start of its own: what was needed to write the keys is not what lists need.
	if err := c.restart(ctx, p); err != nil {
		return err
	}
	resting, _, err := c.memory()
	if err != nil {
		return err
	}
	row("at rest, before the first list").add(restMB, float64(resting)/1e6)
	for _, counted := range []bool{false, true} {
		for _, cell := range listCells {
			to := row(cell.name)
			if !counted {
				to.record = &record{} // forgotten
			}
			if err := c.readList(ctx, cell, p.listKeys, to); err != nil {
				return fmt.Errorf("%s: %w", cell.name, err)
			}
		}
	}
	if err := c.meetStopped(ctx, p.settle, row(fmt.Sprintf("RangeStream, %d clients that stop after the first message", listStopped))); err != nil {
		return fmt.Errorf("readers that stop: %w", err)
	}
	return nil
}

// meetStopped opens streams of the whole list, reads the first message of each, and then nothing for a while.
func (c *contender) meetStopped(ctx context.Context, while time.Duration, to note) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return c.weighed(to, func() error {
		for range listStopped {
			conn, err := process.Dial(c.members[0].Address())
			if err != nil {
				return err
			}
			defer conn.Close()
			stream, err := pb.NewKVClient(conn).RangeStream(ctx, wholeList())
			if err != nil {
				return err
			}
			if _, err := stream.Recv(); err != nil {
				return err
			}
		}
		time.Sleep(while)
		return nil
	})
}

// weighed notes how long something takes, what it costs the servers, and what they hold meanwhile.
func (c *contender) weighed(to note, do func() error) error {
	if err := c.resetPeak(); err != nil {
		return err
	}
	before, err := c.cpu()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := do(); err != nil {
		return err
	}
	took := time.Since(began)
	after, errCPU := c.cpu()
	_, peak, errMemory := c.memory()
	to.add(tookSeconds, took.Seconds())
	to.add(cpuSeconds, (after - before).Seconds())
	to.add(peakMB, float64(peak)/1e6)
	return errors.Join(errCPU, errMemory)
}

// fillList writes the keys.
func (c *contender) fillList(ctx context.Context, keys, valueBytes int) error {
	value := bytes.Repeat([]byte{'v'}, valueBytes)
	for from := 0; from < keys; from += listTxnPuts {
		txn := &pb.TxnRequest{}
		for i := from; i < min(keys, from+listTxnPuts); i++ {
			put := &pb.PutRequest{Key: fmt.Appendf(nil, "%s%08d", listPrefix, i), Value: value}
			txn.Success = append(txn.Success, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: put}})
		}
		if _, err := c.kv.Txn(ctx, txn); err != nil {
			return fmt.Errorf("write keys from %d: %w", from, err)
		}
	}
	return nil
}

func (c *contender) restart(ctx context.Context, p *plan) error {
	if err := c.members[0].Stop(); err != nil {
		return err
	}
	_, err := c.members[0].Start(ctx, p.ready)
	return err
}

// readList lets all clients of a cell read at once, each on a connection of its own.
func (c *contender) readList(ctx context.Context, cell listCell, keys int, to note) error {
	runtime.GC() // of ours, not in the middle of the measurement
	var conns []*grpc.ClientConn
	for range cell.clients {
		conn, err := process.Dial(c.members[0].Address())
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := pb.NewKVClient(conn).Range(ctx, &pb.RangeRequest{Key: []byte(listPrefix)}); err != nil {
			return err
		}
		conns = append(conns, conn)
	}
	return c.weighed(to, func() error {
		failures := make([]error, len(conns))
		var all sync.WaitGroup
		for i, conn := range conns {
			all.Go(func() { failures[i] = cell.read(ctx, conn, keys) })
		}
		all.Wait()
		return errors.Join(failures...)
	})
}

func wholeList() *pb.RangeRequest {
	return &pb.RangeRequest{Key: []byte(listPrefix), RangeEnd: []byte(listEnd)}
}

func readUnary(ctx context.Context, conn *grpc.ClientConn, keys int) error {
	var answer tallied
	err := conn.Invoke(ctx, "/etcdserverpb.KV/Range", wholeList(), &answer, grpc.ForceCodecV2(scanner{}),
		grpc.MaxCallRecvMsgSize(listAnswerMax))
	if err != nil {
		return err
	}
	return answer.whole(keys)
}

func readPages(ctx context.Context, conn *grpc.ClientConn, keys int) error {
	request := wholeList()
	request.Limit = listPageKeys
	var total tallied
	for {
		var page tallied
		if err := conn.Invoke(ctx, "/etcdserverpb.KV/Range", request, &page, grpc.ForceCodecV2(scanner{})); err != nil {
			return err
		}
		total.keys += page.keys
		total.count = max(total.count, page.count)
		if !page.more {
			return total.whole(keys)
		}
		request.Key = append(page.lastKey, 0)
		if total.revision == 0 {
			total.revision = page.revision
		}
		request.Revision = total.revision
	}
}

func readStream(ctx context.Context, conn *grpc.ClientConn, keys int) error {
	desc := &grpc.StreamDesc{ServerStreams: true}
	stream, err := conn.NewStream(ctx, desc, "/etcdserverpb.KV/RangeStream", grpc.ForceCodecV2(scanner{inStream: true}),
		grpc.MaxCallRecvMsgSize(listAnswerMax))
	if err != nil {
		return err
	}
	if err := errors.Join(stream.SendMsg(wholeList()), stream.CloseSend()); err != nil {
		return err
	}
	var total tallied
	for {
		var chunk tallied
		err := stream.RecvMsg(&chunk)
		if errors.Is(err, io.EOF) {
			return total.whole(keys)
		}
		if err != nil {
			return err
		}
		total.keys += chunk.keys
		total.count += chunk.count
	}
}

// scanner passes requests through protobuf, and only walks over the fields of answers.
type scanner struct{ inStream bool }

func (scanner) Name() string { return "proto" }

func (scanner) Marshal(v any) (mem.BufferSlice, error) {
	data, err := proto.Marshal(v.(proto.Message))
	return mem.BufferSlice{mem.SliceBuffer(data)}, err
}

func (s scanner) Unmarshal(data mem.BufferSlice, v any) error {
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	message := buffer.ReadOnlyData()
	if s.inStream {
		_, _, tag := protowire.ConsumeTag(message)
		inner, n := protowire.ConsumeBytes(message[tag:])
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = inner
	}
	t := v.(*tallied)
	err := t.scan(message)
	t.lastKey = slices.Clone(t.lastKey) // the buffer goes back to its pool
	return err
}
