package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"quoin.dev/trial/internal/cluster"
)

const (
	putsInTxn   = 128
	writers     = 16
	answerMax   = 2<<30 - 1
	bigPatience = 2 * time.Minute
)

func keyOf(n int) []byte { return fmt.Appendf(nil, "calm/%08d", n) }

var calmEnd = []byte("calm0")

// calm lets a cluster work hard, and pause, and demands after each part that the term is what it was.
func (t *trial) calm(c *cluster.Cluster) {
	if !t.counts.Check(fmt.Sprintf("write %d keys", t.keys), t.fill(c.Members[0], 0)) {
		return
	}
	leader, _, err := c.Consensus(t.ctx)
	if !t.counts.Check("there is a leader", err) {
		return
	}
	follower := c.Members[0]
	if follower == leader {
		follower = c.Members[1]
	}
	for _, m := range []*cluster.Member{leader, follower} {
		t.quietly(c, fmt.Sprintf("a transaction of %d ranges of %d keys, by %s", t.ranges, t.rangeKeys, roleOf(m, leader)), func() (string, error) {
			return t.list(m, t.ranges, nil)
		})
	}
	t.quietly(c, fmt.Sprintf("a transaction of a put and %d ranges of %d keys", t.writeRanges, t.rangeKeys), func() (string, error) {
		return t.list(leader, t.writeRanges, &pb.PutRequest{Key: []byte("other"), Value: []byte("x")})
	})
	t.quietly(c, fmt.Sprintf("delete %d keys at once", t.keys), func() (string, error) { return t.erase(c, follower) })
	t.endLease(c, follower)
	t.quietly(c, fmt.Sprintf("suspend members in turn, %d times for %v", t.stops, t.stop), func() (string, error) { return "", t.suspend(c) })
	if t.stall == 0 {
		return
	}
	for _, m := range []*cluster.Member{leader, follower} {
		t.quietly(c, fmt.Sprintf("reads of the disk of %s stall for %v", roleOf(m, leader), t.stall), func() (string, error) {
			return t.stallDisk(m, "pread64,preadv") // of files: sockets are read with other calls
		})
	}
	t.quietly(c, fmt.Sprintf("syncs of the disk of a follower stall for %v", t.stall), func() (string, error) {
		return t.stallDisk(follower, "fsync,fdatasync,sync_file_range")
	})
}

func roleOf(m, leader *cluster.Member) string {
	if m == leader {
		return "the leader"
	}
	return "a follower"
}

// quietly does something under a light load, and demands that nobody else was elected meanwhile, nor tried to be.
func (t *trial) quietly(c *cluster.Cluster, what string, do func() (string, error)) {
	leader, term, err := c.Consensus(t.ctx)
	if err != nil {
		t.counts.Check(what, fmt.Errorf("before: %w", err))
		return
	}
	pulse := t.startPulse(c)
	began := time.Now()
	how, err := do()
	took := time.Since(began)
	time.Sleep(2 * time.Second) // an election that this has caused begins within two election timeouts
	beat := pulse.stop()
	if err == nil {
		err = t.sameTerm(c, leader, term)
	}
	t.counts.Check(fmt.Sprintf("no election: %s: %.2fs, %s; %s", what, took.Seconds(), how, beat), err)
}

// sameTerm demands the leader and the term of before, once all members answer.
func (t *trial) sameTerm(c *cluster.Cluster, leader *cluster.Member, term uint64) error {
	if err := c.AwaitReady(t.ctx, t.ready); err != nil {
		return err
	}
	now, termNow, err := c.Consensus(t.ctx)
	if err != nil {
		return err
	}
	if now != leader || termNow != term {
		return fmt.Errorf("%s led in term %d, and now %s leads in term %d", leader.Name, term, now.Name, termNow)
	}
	return nil
}

// fill writes the keys, many in a transaction and several transactions at once, attached to a lease unless that is 0.
func (t *trial) fill(m *cluster.Member, lease int64) error {
	var next atomic.Int64
	errs := make([]error, writers)
	var writing sync.WaitGroup
	for i := range writers {
		writing.Go(func() {
			for errs[i] == nil {
				from := int(next.Add(putsInTxn)) - putsInTxn
				if from >= t.keys {
					return
				}
				errs[i] = t.fillSome(m, from, min(from+putsInTxn, t.keys), lease)
			}
		})
	}
	writing.Wait()
	return errors.Join(errs...)
}

func (t *trial) fillSome(m *cluster.Member, from, to int, lease int64) error {
	txn := &pb.TxnRequest{}
	for n := from; n < to; n++ {
		txn.Success = append(txn.Success, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: keyOf(n), Value: []byte("v"), Lease: lease}}})
	}
	ctx, cancel := context.WithTimeout(t.ctx, bigPatience)
	defer cancel()
	_, err := m.KV.Txn(ctx, txn)
	return err
}

// list sends a transaction of so many ranges, spread over the keys, and before them a put if there is one.
func (t *trial) list(m *cluster.Member, ranges int, put *pb.PutRequest) (string, error) {
	keys := min(t.rangeKeys, t.keys)
	txn := &pb.TxnRequest{}
	if put != nil {
		txn.Success = append(txn.Success, &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: put}})
	}
	for i := range ranges {
		from := i * (t.keys - keys) / max(ranges-1, 1)
		txn.Success = append(txn.Success, &pb.RequestOp{Request: &pb.RequestOp_RequestRange{
			RequestRange: &pb.RangeRequest{Key: keyOf(from), RangeEnd: keyOf(from + keys), KeysOnly: true}}})
	}
	ctx, cancel := context.WithTimeout(t.ctx, bigPatience)
	defer cancel()
	var answer size
	err := m.Conn.Invoke(ctx, "/etcdserverpb.KV/Txn", txn, &answer, grpc.ForceCodecV2(weigher{}), grpc.MaxCallRecvMsgSize(answerMax))
	if err != nil {
		return "", err
	}
	if least := ranges * keys * len(keyOf(0)); int(answer) < least {
		return "", fmt.Errorf("the answer has %d bytes: too few for %d keys", answer, ranges*keys)
	}
	return fmt.Sprintf("an answer of %d MB", answer>>20), nil
}

// erase deletes all keys with one request, and waits until they are gone everywhere. That the request itself takes longer
// than the server's patience is no failure.
func (t *trial) erase(c *cluster.Cluster, by *cluster.Member) (string, error) {
	ctx, cancel := context.WithTimeout(t.ctx, bigPatience)
	defer cancel()
	answer, err := by.KV.DeleteRange(ctx, &pb.DeleteRangeRequest{Key: keyOf(0), RangeEnd: calmEnd})
	how := fmt.Sprintf("%d deleted", answer.GetDeleted())
	if err != nil {
		how = "answered: " + err.Error()
	} else if answer.Deleted != int64(t.keys) {
		return how, fmt.Errorf("%d keys deleted of %d", answer.Deleted, t.keys)
	}
	return how, t.areGone(ctx, c)
}

// endLease writes the keys anew, attached to one lease, and has it revoked: one entry of the log deletes all of them.
func (t *trial) endLease(c *cluster.Cluster, by *cluster.Member) {
	leases := pb.NewLeaseClient(by.Conn)
	ctx, cancel := context.WithTimeout(t.ctx, 3*bigPatience)
	defer cancel()
	granted, err := leases.LeaseGrant(ctx, &pb.LeaseGrantRequest{TTL: 3_600})
	if !t.counts.Check("grant a lease", err) ||
		!t.counts.Check(fmt.Sprintf("write %d keys of a lease", t.keys), t.fill(by, granted.ID)) {
		return
	}
	t.quietly(c, fmt.Sprintf("revoke a lease of %d keys", t.keys), func() (string, error) {
		how := "revoked"
		if _, err := leases.LeaseRevoke(ctx, &pb.LeaseRevokeRequest{ID: granted.ID}); err != nil {
			how = "answered: " + err.Error()
		}
		return how, t.areGone(ctx, c)
	})
}

// areGone waits until no member has any of the keys.
func (t *trial) areGone(ctx context.Context, c *cluster.Cluster) error {
	for _, m := range c.Members {
		for {
			left, err := m.KV.Range(ctx, &pb.RangeRequest{Key: keyOf(0), RangeEnd: calmEnd, CountOnly: true, Serializable: true})
			if err != nil {
				return fmt.Errorf("%s: %w", m.Name, err)
			}
			if left.Count == 0 {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	return nil
}

// suspend stops each member in turn for less than an election timeout. It fails as soon as the term changes.
func (t *trial) suspend(c *cluster.Cluster) error {
	leader, term, err := c.Consensus(t.ctx)
	if err != nil {
		return err
	}
	for n := range t.stops {
		m := c.Members[n%len(c.Members)]
		if err := m.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		time.Sleep(t.stop)
		if err := m.Signal(syscall.SIGCONT); err != nil {
			return err
		}
		if err := t.sameTerm(c, leader, term); err != nil {
			return fmt.Errorf("stop %d, of %s: %w", n+1, m.Name, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil
}

// stallDisk holds back system calls of a process, which goes on otherwise.
func (t *trial) stallDisk(m *cluster.Member, calls string) (string, error) {
	if _, err := exec.LookPath("strace"); err != nil {
		return "SKIPPED: no strace", nil
	}
	report := filepath.Join(t.home, "strace.log")
	trace := exec.Command("strace", "-f", "-y", "-qq", "-o", report, "-p", fmt.Sprint(m.PID()), "-e", "trace="+calls,
		"-e", fmt.Sprintf("inject=%s:delay_enter=%d", calls, t.stall.Microseconds()))
	trace.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var words strings.Builder
	trace.Stderr = &words
	if err := trace.Start(); err != nil {
		return "", err
	}
	time.Sleep(t.stall)
	trace.Process.Signal(syscall.SIGINT) // it lets go of the process
	trace.Wait()
	if strings.Contains(words.String(), "not permitted") {
		return "SKIPPED: ptrace is not permitted", nil
	}
	lines, err := os.ReadFile(report)
	if err != nil {
		return "", fmt.Errorf("strace: %w: %s", err, words.String())
	}
	var held []string
	for line := range strings.Lines(string(lines)) {
		thread, call, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, _, isCall := strings.Cut(strings.TrimSpace(call), "(")
		if !isCall || !slices.Contains(strings.Split(calls, ","), name) {
			continue
		}
		comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/comm", m.PID(), thread))
		held = append(held, strings.TrimSpace(string(comm))+": "+strings.TrimSpace(call))
	}
	return fmt.Sprintf("%d calls of %s were held back %q", len(held), calls, held[:min(len(held), 3)]), nil
}

// pulse is a light load on every member.
type pulse struct {
	ending  chan struct{}
	beating sync.WaitGroup
	mutex   sync.Mutex
	puts    int
	refused int
	slowest time.Duration
}

func (t *trial) startPulse(c *cluster.Cluster) *pulse {
	p := &pulse{ending: make(chan struct{})}
	for _, m := range c.Members {
		p.beating.Go(func() {
			for {
				select {
				case <-p.ending:
					return
				case <-time.After(20 * time.Millisecond):
				}
				ctx, cancel := context.WithTimeout(t.ctx, 30*time.Second)
				began := time.Now()
				_, err := m.KV.Put(ctx, &pb.PutRequest{Key: []byte("pulse/" + m.Name), Value: []byte("x")})
				cancel()
				p.mutex.Lock()
				p.puts++
				p.slowest = max(p.slowest, time.Since(began))
				if err != nil {
					p.refused++
				}
				p.mutex.Unlock()
			}
		})
	}
	return p
}

func (p *pulse) stop() string {
	close(p.ending)
	p.beating.Wait()
	return fmt.Sprintf("%d puts meanwhile, %d refused, the slowest %.2fs", p.puts, p.refused, p.slowest.Seconds())
}

// size is an answer of which only the length is looked at.
type size int

// weigher passes requests through protobuf, and takes answers as they are.
type weigher struct{}

func (weigher) Name() string { return "proto" }

func (weigher) Marshal(v any) (mem.BufferSlice, error) {
	data, err := proto.Marshal(v.(proto.Message))
	return mem.BufferSlice{mem.SliceBuffer(data)}, err
}

func (weigher) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*size) = size(data.Len())
	return nil
}
