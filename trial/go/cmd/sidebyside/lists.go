package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/process"
	"quoin.dev/trial/internal/tally"
)

// Lists: every key of a range, read whole, in pages and as a stream, by one client and by several at once. Measured are
// the time until the last of them has everything, and the server's processor time and peak of memory meanwhile. The
// client takes answers as bytes, without decoding values, so that it costs both servers as little as may be.

const (
	listPrefix    = "list/"
	listEnd       = "list0"
	listPageKeys  = 500
	listTxnPuts   = 100
	listAnswerMax = 2<<30 - 1
	listStalled   = 200 // readers that stop after the first message
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

// listMeasure is one cell in one round.
type listMeasure struct {
	took time.Duration
	cpu  time.Duration // of the server, for all clients
	peak int64         // the server's resident bytes at their highest
}

func (m listMeasure) String() string {
	return fmt.Sprintf("%.2f s, %.2f s CPU, %.0f MB", m.took.Seconds(), m.cpu.Seconds(), float64(m.peak)/1e6)
}

// performLists is the run of --lists: it prints its own table.
func (p *plan) performLists(ctx context.Context, counts *tally.Tally) string {
	measured := map[string]map[string][]listMeasure{}
	resting := map[string]int64{}
	for _, c := range p.contenders {
		defer c.stop()
		if !counts.Check("start "+c.name, c.start(ctx, p)) || !counts.Check("fill "+c.name, c.fill(ctx, p.listKeys, p.listValueBytes)) {
			return ""
		}
		measured[c.name] = map[string][]listMeasure{}
	}
	time.Sleep(2 * time.Second) // let both write what they write behind
	for _, c := range p.contenders {
		// A start of its own: what was needed to write the keys is not what lists need.
		counts.Check("restart "+c.name, c.restart(ctx, p))
		var err error
		resting[c.name], _, err = c.server.Memory()
		counts.Check("memory of "+c.name, err)
	}
	// Round 0 is not counted: a virtual machine has to warm up, and both have to read their files once.
	for round := range p.rounds + 1 {
		for _, cell := range listCells {
			for turn := range p.contenders {
				c := p.contenders[(turn+round)%2]
				m, err := c.measureList(ctx, cell, p.listKeys)
				counts.Check(fmt.Sprintf("round %d, %s, %s: %s", round, cell.name, c.name, m), err)
				if err == nil && round > 0 {
					measured[c.name][cell.name] = append(measured[c.name][cell.name], m)
				}
				if ctx.Err() != nil || c.server.Exited() {
					counts.Check(c.name+" still runs", fmt.Errorf("it does not, or we were told to stop; its log ends:\n%s", c.server.LogTail()))
					return ""
				}
			}
		}
	}
	stalled := map[string]listMeasure{}
	for _, c := range p.contenders {
		m, err := c.measureStalled(ctx)
		counts.Check(fmt.Sprintf("%d readers that stop, %s: %s", listStalled, c.name, m), err)
		stalled[c.name] = m
	}
	return p.reportLists(measured, resting, stalled)
}

// measureStalled opens streams of the whole list, reads the first message of each, and then nothing for a while.
func (c *contender) measureStalled(ctx context.Context) (listMeasure, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	before, err := c.server.CPU()
	if err != nil {
		return listMeasure{}, err
	}
	begin := time.Now()
	if err := c.server.ResetPeak(); err != nil {
		return listMeasure{}, err
	}
	for range listStalled {
		conn, err := process.Dial(c.server.Address())
		if err != nil {
			return listMeasure{}, err
		}
		defer conn.Close()
		stream, err := pb.NewKVClient(conn).RangeStream(ctx, wholeList())
		if err != nil {
			return listMeasure{}, err
		}
		if _, err := stream.Recv(); err != nil {
			return listMeasure{}, err
		}
	}
	time.Sleep(2 * time.Second)
	m := listMeasure{took: time.Since(begin)}
	after, err := c.server.CPU()
	if err != nil {
		return m, err
	}
	m.cpu = after - before
	_, m.peak, err = c.server.Memory()
	return m, err
}

// fill writes the keys.
func (c *contender) fill(ctx context.Context, keys, valueBytes int) error {
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
	if err := c.server.Stop(); err != nil {
		return err
	}
	_, err := c.server.Start(ctx, p.ready)
	return err
}

// measureList lets all clients of a cell read at once, each on a connection of its own.
func (c *contender) measureList(ctx context.Context, cell listCell, keys int) (listMeasure, error) {
	runtime.GC() // of ours, not in the middle of the measurement
	var conns []*grpc.ClientConn
	for range cell.clients {
		conn, err := process.Dial(c.server.Address())
		if err != nil {
			return listMeasure{}, err
		}
		defer conn.Close()
		if _, err := pb.NewKVClient(conn).Range(ctx, &pb.RangeRequest{Key: []byte(listPrefix)}); err != nil {
			return listMeasure{}, err
		}
		conns = append(conns, conn)
	}
	if err := c.server.ResetPeak(); err != nil {
		return listMeasure{}, err
	}
	before, err := c.server.CPU()
	if err != nil {
		return listMeasure{}, err
	}
	begin := time.Now()
	failures := make([]error, len(conns))
	var all sync.WaitGroup
	for i, conn := range conns {
		all.Go(func() { failures[i] = cell.read(ctx, conn, keys) })
	}
	all.Wait()
	m := listMeasure{took: time.Since(begin)}
	after, err := c.server.CPU()
	if err != nil {
		return m, err
	}
	m.cpu = after - before
	_, m.peak, err = c.server.Memory()
	return m, errors.Join(append(failures, err)...)
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
		request.Revision = page.revision
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

// tallied is what is looked at of a RangeResponse.
type tallied struct {
	keys     int
	lastKey  []byte
	revision int64
	count    int64
	more     bool
}

func (t tallied) whole(keys int) error {
	if t.keys != keys || t.count != int64(keys) {
		return fmt.Errorf("%d keys came, count says %d, there are %d", t.keys, t.count, keys)
	}
	return nil
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
	return v.(*tallied).scan(message)
}

func (t *tallied) scan(message []byte) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		var number uint64
		var content []byte
		if kind == protowire.BytesType {
			content, n = protowire.ConsumeBytes(message)
		} else {
			number, n = protowire.ConsumeVarint(message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		switch field {
		case 1:
			header := &pb.ResponseHeader{}
			if err := proto.Unmarshal(content, header); err != nil {
				return err
			}
			t.revision = header.Revision
		case 2:
			t.keys++
			_, _, tag := protowire.ConsumeTag(content)
			key, n := protowire.ConsumeBytes(content[tag:])
			if n < 0 {
				return protowire.ParseError(n)
			}
			t.lastKey = append(t.lastKey[:0], key...)
		case 3:
			t.more = number != 0
		case 4:
			t.count = int64(number)
		}
	}
	return nil
}

func (p *plan) reportLists(measured map[string]map[string][]listMeasure, resting map[string]int64, stalled map[string]listMeasure) string {
	a, b := p.contenders[0].name, p.contenders[1].name
	var out strings.Builder
	fmt.Fprintf(&out, "%d keys with values of %d bytes; medians of %d rounds in turns, after one that is not counted; both servers were "+
		"restarted after the keys were written; %d processors, shared by server and clients; data on %s. \"Peak\" is VmHWM, reset before each "+
		"cell.\n\n", p.listKeys, p.listValueBytes, p.rounds, runtime.NumCPU(), filesystem(p.home))
	fmt.Fprintf(&out, "| list | %[1]s s | %[2]s s | %[2]s : %[1]s (rounds) | %[1]s CPU s | %[2]s CPU s | %[1]s peak MB | %[2]s peak MB | %[1]s : %[2]s |\n", a, b)
	out.WriteString("|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, cell := range listCells {
		ours, theirs := measured[a][cell.name], measured[b][cell.name]
		if len(ours) != p.rounds || len(theirs) != p.rounds {
			fmt.Fprintf(&out, "| %s | failed | | | | | | | |\n", cell.name)
			continue
		}
		low, high := 0.0, 0.0
		for i := range ours {
			ratio := theirs[i].took.Seconds() / ours[i].took.Seconds()
			if low == 0 || ratio < low {
				low = ratio
			}
			high = max(high, ratio)
		}
		x, y := medianList(ours), medianList(theirs)
		fmt.Fprintf(&out, "| %s | %.2f | %.2f | %.2f (%.2f–%.2f) | %.2f | %.2f | %.0f | %.0f | %.2f |\n", cell.name, x.took.Seconds(),
			y.took.Seconds(), y.took.Seconds()/x.took.Seconds(), low, high, x.cpu.Seconds(), y.cpu.Seconds(), float64(x.peak)/1e6,
			float64(y.peak)/1e6, float64(x.peak)/float64(y.peak))
	}
	fmt.Fprintf(&out, "\nAt rest, before the first list: %s %.0f MB, %s %.0f MB.\n", a, float64(resting[a])/1e6, b, float64(resting[b])/1e6)
	fmt.Fprintf(&out, "\n%d clients that open a RangeStream, take its first message and stop: peak %s %.0f MB, %s %.0f MB.\n", listStalled,
		a, float64(stalled[a].peak)/1e6, b, float64(stalled[b].peak)/1e6)
	return out.String()
}

func medianList(rounds []listMeasure) listMeasure {
	var took, cpu []time.Duration
	var peak []int64
	for _, m := range rounds {
		took, cpu, peak = append(took, m.took), append(cpu, m.cpu), append(peak, m.peak)
	}
	return listMeasure{median(took), median(cpu), median(peak)}
}
