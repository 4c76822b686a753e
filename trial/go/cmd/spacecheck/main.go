// Spacecheck fills a server, deletes half of it, compacts, and watches what happens to the files and to the writes that
// go on meanwhile. A server of etcd's kind gives nothing back until it is told to defragment: --defragment does that.
//
//	spacecheck --megabytes 1024 --name quoin -- COMMAND...
//
// In COMMAND, {data}, {client} and {peer} are filled in. The writes are a steady stream, the same before and during;
// their latencies are compared. The last line is a row of a Markdown table.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/process"
	"quoin.dev/trial/internal/tally"
)

func main() { os.Exit(run()) }

type trial struct {
	name        string
	keys        int
	valueBytes  int
	rate        int           // puts per second while we measure
	quiet       time.Duration // how long to measure before anything is deleted
	within      time.Duration // how long the space may take to come back
	share       float64       // of the bytes before that may be left
	defragment  bool
	factor      float64 // p99 may be this often the quiet one; 0: not judged
	server      *process.Server
	kv          pb.KVClient
	maintenance pb.MaintenanceClient
}

func run() int {
	t := &trial{}
	flag.StringVar(&t.name, "name", "server", "what to call it")
	megabytes := flag.Int("megabytes", 1024, "how much to write first")
	flag.IntVar(&t.valueBytes, "value", 1024, "bytes of a value")
	flag.IntVar(&t.rate, "rate", 500, "puts per second while latencies are measured")
	flag.DurationVar(&t.quiet, "quiet", 15*time.Second, "how long to measure before")
	flag.DurationVar(&t.within, "within", 2*time.Minute, "bound for the space to come back")
	flag.Float64Var(&t.share, "share", 0.62, "of the bytes in files before, how much may be left")
	flag.BoolVar(&t.defragment, "defragment", false, "call Defragment once the compaction is done")
	flag.Float64Var(&t.factor, "factor", 0, "fail if the p99 of puts is more than this times the quiet one (0: do not judge)")
	dir := flag.String("dir", ".", "where to make the directory for the data")
	flag.Parse()
	t.keys = *megabytes * 1024 * 1024 / t.valueBytes
	counts := tally.New("spacecheck", os.Stdout)
	if flag.NArg() == 0 || t.keys < 1000 || t.rate < 10 {
		fmt.Fprintln(os.Stderr, "usage: spacecheck [flags] -- COMMAND...")
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	home, err := os.MkdirTemp(*dir, "spacecheck-")
	if !counts.Check("make a directory", err) {
		return counts.Close()
	}
	defer os.RemoveAll(home)
	if t.server, err = process.New(flag.Args(), home); !counts.Check("prepare", err) {
		return counts.Close()
	}
	if _, err = t.server.Start(ctx, time.Minute); !counts.Check("start "+t.name, err) {
		return counts.Close()
	}
	defer t.server.Kill()
	conn, err := process.Dial(t.server.Address())
	if !counts.Check("dial", err) {
		return counts.Close()
	}
	defer conn.Close()
	t.kv, t.maintenance = pb.NewKVClient(conn), pb.NewMaintenanceClient(conn)
	t.perform(ctx, counts)
	return counts.Close()
}

func (t *trial) key(n int) []byte { return fmt.Appendf(nil, "registry/things/%08d", n) }

func (t *trial) perform(ctx context.Context, counts *tally.Tally) {
	if !counts.Check(fmt.Sprintf("write %d keys of %d bytes", t.keys, t.valueBytes), t.fill(ctx)) {
		return
	}
	time.Sleep(3 * time.Second)
	quiet := t.stream(ctx, t.quiet, nil)
	if !counts.Check("quiet: "+quiet.String(), quiet.err) {
		return
	}
	before := t.fileBytes()
	if !counts.Check("delete every other key", t.deleteHalf(ctx)) {
		return
	}
	deleted := t.fileBytes()
	revision, err := t.revision(ctx)
	if !counts.Check("read the revision", err) {
		return
	}

	begin := time.Now()
	var back, compacted, defragmented atomic.Int64 // nanoseconds since begin
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := t.kv.Compact(ctx, &pb.CompactionRequest{Revision: revision, Physical: t.defragment})
		counts.Check("compact", err)
		compacted.Store(int64(time.Since(begin)))
		if t.defragment {
			_, err := t.maintenance.Defragment(ctx, &pb.DefragmentRequest{})
			counts.Check("defragment", err)
			defragmented.Store(int64(time.Since(begin)))
		}
		for time.Since(begin) < t.within && ctx.Err() == nil {
			if float64(t.fileBytes()) <= t.share*float64(before) {
				back.Store(int64(time.Since(begin)))
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
	}()
	during := t.stream(ctx, t.within, done)
	<-done
	counts.Check("during: "+during.String(), during.err)
	after := t.fileBytes()
	if back.Load() == 0 {
		counts.Check("the space comes back", fmt.Errorf("%d MB before, %d MB after %v", before>>20, after>>20, t.within))
	}
	if t.factor > 0 && during.at(99) > time.Duration(t.factor*float64(quiet.at(99))) {
		counts.Check("the writes go on as before", fmt.Errorf("p99 %v, quiet %v", during.at(99), quiet.at(99)))
	}
	settled := t.settle(ctx)
	counts.Check("what is left is right", t.verify(ctx))
	fmt.Printf("| %s | %d | %d | %d | %.1f | %d | %s | %s | %s | %s | %.2f |\n", t.name, before>>20, deleted>>20, after>>20,
		time.Duration(back.Load()).Seconds(), settled>>20, ms(quiet.at(99)), ms(during.at(99)), ms(quiet.at(100)), ms(during.at(100)),
		float64(during.at(99))/float64(quiet.at(99)))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d)/1e6) }

// settle waits until the files stop changing, 20 seconds at most, and returns their size.
func (t *trial) settle(ctx context.Context) int64 {
	size := t.fileBytes()
	for range 10 {
		time.Sleep(2 * time.Second)
		now := t.fileBytes()
		if now == size || ctx.Err() != nil {
			return now
		}
		size = now
	}
	return size
}

// fill writes all keys, a few hundred at a time.
func (t *trial) fill(ctx context.Context) error {
	var next atomic.Int64
	return parallel(300, func() error {
		random := rand.New(rand.NewPCG(1, uint64(next.Load())))
		value := make([]byte, t.valueBytes)
		for {
			n := int(next.Add(1)) - 1
			if n >= t.keys {
				return nil
			}
			for i := range value {
				value[i] = byte(random.Uint32())
			}
			if _, err := t.kv.Put(ctx, &pb.PutRequest{Key: t.key(n), Value: value}); err != nil {
				return err
			}
		}
	})
}

func (t *trial) deleteHalf(ctx context.Context) error {
	const batch = 100
	var next atomic.Int64
	return parallel(20, func() error {
		for {
			first := int(next.Add(2*batch)) - 2*batch
			if first >= t.keys {
				return nil
			}
			txn := &pb.TxnRequest{}
			for n := first; n < min(first+2*batch, t.keys); n += 2 {
				txn.Success = append(txn.Success, &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{
					RequestDeleteRange: &pb.DeleteRangeRequest{Key: t.key(n)}}})
			}
			if _, err := t.kv.Txn(ctx, txn); err != nil {
				return err
			}
		}
	})
}

func (t *trial) verify(ctx context.Context) error {
	count, err := t.kv.Range(ctx, &pb.RangeRequest{Key: t.key(0), RangeEnd: t.key(t.keys), CountOnly: true})
	if err != nil {
		return err
	}
	if count.Count != int64(t.keys/2) {
		return fmt.Errorf("%d keys, expected %d", count.Count, t.keys/2)
	}
	for n := 0; n < t.keys; n += max(1, t.keys/2000) {
		got, err := t.kv.Range(ctx, &pb.RangeRequest{Key: t.key(n)})
		if err != nil {
			return err
		}
		if len(got.Kvs) != n%2 || (n%2 == 1 && len(got.Kvs[0].Value) != t.valueBytes) {
			return fmt.Errorf("key %d: %d found", n, len(got.Kvs))
		}
	}
	return nil
}

func (t *trial) revision(ctx context.Context) (int64, error) {
	got, err := t.kv.Range(ctx, &pb.RangeRequest{Key: []byte("x")})
	if err != nil {
		return 0, err
	}
	return got.Header.Revision, nil
}

// fileBytes is what the database takes on the disk: blocks, not lengths, of all files but the write-ahead log.
func (t *trial) fileBytes() int64 {
	var total int64
	filepath.WalkDir(t.server.Data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(path, "/wal/") {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			total += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		return nil
	})
	return total
}

// latencies of a stream of puts, sorted.
type latencies struct {
	sorted []time.Duration
	err    error
}

func (l latencies) at(percent int) time.Duration {
	if len(l.sorted) == 0 {
		return 0
	}
	return l.sorted[min(len(l.sorted)-1, len(l.sorted)*percent/100)]
}

func (l latencies) String() string {
	return fmt.Sprintf("%d puts, p50 %v, p99 %v, max %v", len(l.sorted), l.at(50), l.at(99), l.at(100))
}

// stream puts at a steady rate, whether the puts before have been answered or not, until the time is over or done is
// closed. A put's latency counts from when it was due.
func (t *trial) stream(ctx context.Context, length time.Duration, done <-chan struct{}) latencies {
	var mutex sync.Mutex
	var result latencies
	var group sync.WaitGroup
	begin := time.Now()
	value := make([]byte, t.valueBytes)
	period := time.Second / time.Duration(t.rate)
	for n := 0; ; n++ {
		due := begin.Add(time.Duration(n) * period)
		select {
		case <-done:
			length = 0
		case <-ctx.Done():
			length = 0
		case <-time.After(time.Until(due)):
		}
		if time.Since(begin) >= length {
			group.Wait()
			slices.Sort(result.sorted)
			return result
		}
		group.Go(func() {
			_, err := t.kv.Put(ctx, &pb.PutRequest{Key: fmt.Appendf(nil, "stream/%04d", n%1000), Value: value})
			took := time.Since(due)
			mutex.Lock()
			defer mutex.Unlock()
			result.sorted = append(result.sorted, took)
			result.err = errors.Join(result.err, err)
		})
	}
}

func parallel(width int, work func() error) error {
	var group sync.WaitGroup
	problems := make([]error, width)
	for i := range width {
		group.Go(func() { problems[i] = work() })
	}
	group.Wait()
	return errors.Join(problems...)
}
