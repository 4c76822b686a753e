package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/authpb"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"quoin.dev/trial/internal/certificates"
	"quoin.dev/trial/internal/process"
	"quoin.dev/trial/internal/tally"
)

const (
	password  = "only root knows"
	patience  = 10 * time.Second
	largeKeys = 64
	// descriptorsMore is how many descriptors a server may have open some seconds after a drill that it had not before.
	descriptorsMore = 20
)

// trial is one server and a healthy client of it.
type trial struct {
	length time.Duration
	memory int64
	factor float64
	slack  time.Duration
	rest   time.Duration
	asEtcd bool
	counts *tally.Tally

	server    *process.Server
	encrypted string // address of the listener with TLS
	conn      *grpc.ClientConn
	token     string
	attackers *attackers
	baseline  time.Duration // the 99th percentile of the healthy alone
	beside    time.Duration // the same beside attacks on another server
	resident  int64         // bytes that the server had before the first drill
}

// start starts a server with a second listener, for TLS, and with control of access.
func (t *trial) start(ctx context.Context, command []string, home string) error {
	authority, err := certificates.New(home)
	if err != nil {
		return err
	}
	places, err := process.FreePlaces("default", home)
	if err != nil {
		return err
	}
	more, err := process.FreePlaces("other", home)
	if err != nil {
		return err
	}
	places.Cluster, places.State = places.Name+"="+places.Peer, "new"
	encrypted := strings.Replace(more.Client, "http://", "https://", 1)
	t.encrypted = strings.TrimPrefix(encrypted, "https://")
	command = append(slices.Clone(command), "--listen-client-urls", places.Client+","+encrypted, "--host-whitelist", "127.0.0.1,localhost",
		"--cors", "http://good.example:80")
	if t.server, err = process.NewMember(append(command, authority.Flags()...), home, places); err != nil {
		return err
	}
	if _, err := t.server.Start(ctx, time.Minute); err != nil {
		return err
	}
	if t.conn, err = process.Dial(t.server.Address()); err != nil {
		return err
	}
	return t.users(ctx)
}

func (t *trial) users(ctx context.Context) error {
	auth := pb.NewAuthClient(t.conn)
	for _, step := range []func() error{
		func() error {
			_, err := auth.UserAdd(ctx, &pb.AuthUserAddRequest{Name: "root", Password: password, Options: &authpb.UserAddOptions{}})
			return err
		},
		func() error {
			_, err := auth.UserGrantRole(ctx, &pb.AuthUserGrantRoleRequest{User: "root", Role: "root"})
			return err
		},
		func() error {
			_, err := auth.AuthEnable(ctx, &pb.AuthEnableRequest{})
			return err
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	response, err := auth.Authenticate(ctx, &pb.AuthenticateRequest{Name: "root", Password: password})
	if err != nil {
		return err
	}
	t.token = response.Token
	large := make([]byte, 512<<10)
	for i := range largeKeys {
		if _, err := pb.NewKVClient(t.conn).Put(t.named(ctx), &pb.PutRequest{Key: fmt.Appendf(nil, "large/%d", i), Value: large}); err != nil {
			return err
		}
	}
	return nil
}

func (t *trial) close() {
	if t.conn != nil {
		t.conn.Close()
	}
	if t.attackers != nil {
		t.attackers.close()
	}
	if t.server != nil {
		t.server.Kill()
	}
}

func (t *trial) named(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "token", t.token)
}

func (t *trial) run(ctx context.Context, wanted *regexp.Regexp) {
	// What is compiled and grown by then is no drill's doing.
	for range 2 {
		waits, err := t.healthy(ctx, func(ctx context.Context) error { <-ctx.Done(); return nil })
		if !t.counts.Check(fmt.Sprintf("a healthy client alone: p99 %v", round(waits)), err) {
			return
		}
		t.baseline = waits
	}
	var err error
	if t.resident, _, err = t.server.Memory(); err == nil {
		t.attackers, err = startAttackers(ctx, &target{Client: t.server.Client, Address: t.server.Address(), Encrypted: t.encrypted, Token: t.token, Length: t.length})
	}
	if !t.counts.Check("who attacks", err) {
		return
	}
	// On a machine where the processors are shared, attacks on somebody else slow a client too: that much is not the server's.
	waits, err := t.healthy(ctx, func(context.Context) error {
		_, failed := t.attackers.do(elsewhere)
		return failed
	})
	t.counts.Check(fmt.Sprintf("beside attacks on another server: p99 %v", round(waits)), err)
	t.beside = max(t.baseline, waits)
	for number, drill := range drills() {
		if wanted.MatchString(drill.name) && !t.drill(ctx, number, drill) {
			return
		}
	}
	_, err = t.attackers.do(silenceEnds)
	t.counts.Check("who said nothing was closed", err)
	if t.rest > 0 {
		t.forgets(ctx)
	}
}

// forgets looks at the memory of the server when nobody has asked it for anything for a while.
func (t *trial) forgets(ctx context.Context) {
	before, _, err := t.server.Memory()
	if err == nil {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(t.rest):
		}
	}
	now, _, measured := t.server.Memory()
	err = errors.Join(err, measured)
	if err == nil && now > t.resident+t.resident/2 {
		err = errors.New("more than half as much again as before the drills")
	}
	t.counts.Check(fmt.Sprintf("memory: %d MiB before the drills, %d after them, %d after %v of rest", t.resident>>20, before>>20, now>>20, t.rest), err)
}

// drill does one, and says whether the server lives.
func (t *trial) drill(ctx context.Context, number int, d drill) bool {
	descriptors, err := t.metric(ctx, "process_open_fds")
	if err != nil {
		t.counts.Check(d.name, err)
		return false
	}
	met, logged := t.met(ctx, d.limits), t.server.LogSize()
	if err := t.server.ResetPeak(); err != nil {
		t.counts.Check(d.name, err)
		return false
	}
	var words string
	waits, err := t.healthy(ctx, func(context.Context) error {
		var failed error
		words, failed = t.attackers.do(number)
		return failed
	})
	if t.server.Exited() {
		t.counts.Check(d.name, fmt.Errorf("the server has ended (%w); its log ends:\n%s", err, t.server.LogTail()))
		return false
	}
	now, peak, measured := t.server.Memory()
	line := fmt.Sprintf("%s: %s; p99 %v; %d MiB resident, %d at most", d.name, words, round(waits), now>>20, peak>>20)
	bound := time.Duration(float64(t.beside)*t.factor) + t.slack
	switch {
	case err != nil:
	case measured != nil:
		err = measured
	case waits > bound:
		err = fmt.Errorf("the healthy client waits longer than %v", round(bound))
	case t.memory > 0 && peak>>20 > t.memory:
		err = fmt.Errorf("more than %d MiB", t.memory)
	case !t.asEtcd:
		err = errors.Join(t.noticed(ctx, d, met, logged), t.released(ctx, d, descriptors))
	}
	t.counts.Check(line, err)
	return true
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }

// healthy runs a healthy client for the length of a drill, beside what is done meanwhile: the 99th percentile of its waits.
func (t *trial) healthy(ctx context.Context, meanwhile func(ctx context.Context) error) (time.Duration, error) {
	drilling, cancel := context.WithTimeout(ctx, t.length)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- meanwhile(drilling) }()
	var mutex sync.Mutex
	var waits []time.Duration
	var failed error
	var group sync.WaitGroup
	kv := pb.NewKVClient(t.conn)
	for worker := range 4 {
		group.Go(func() {
			key := fmt.Appendf(nil, "healthy/%d", worker)
			for n := 0; drilling.Err() == nil; n++ {
				asking, stop := context.WithTimeout(t.named(ctx), patience)
				begin := time.Now()
				var err error
				if n%2 == 0 {
					_, err = kv.Put(asking, &pb.PutRequest{Key: key, Value: make([]byte, 256)})
				} else {
					_, err = kv.Range(asking, &pb.RangeRequest{Key: key})
				}
				took := time.Since(begin)
				stop()
				mutex.Lock()
				waits = append(waits, took)
				if err != nil && failed == nil {
					failed = fmt.Errorf("a healthy client: %w", err)
				}
				mutex.Unlock()
				time.Sleep(time.Millisecond)
			}
		})
	}
	group.Wait()
	if err := <-done; err != nil && failed == nil {
		failed = err
	}
	if len(waits) == 0 {
		return 0, errors.New("nothing was asked")
	}
	slices.Sort(waits)
	return waits[len(waits)*99/100], failed
}

// met is how often these limits were met so far, as the server counts it.
func (t *trial) met(ctx context.Context, limits []string) map[string]float64 {
	met := map[string]float64{}
	for _, limit := range limits {
		met[limit], _ = t.metric(ctx, fmt.Sprintf("quoin_limit_met_total{limit=%q}", limit))
	}
	return met
}

// noticed says whether the limits of a drill were counted and told.
func (t *trial) noticed(ctx context.Context, d drill, before map[string]float64, logged int64) error {
	after := t.met(ctx, d.limits)
	log, err := t.server.LogFrom(logged)
	if err != nil {
		return err
	}
	for _, limit := range d.limits {
		if after[limit] <= before[limit] {
			err = errors.Join(err, fmt.Errorf("the limit %s was not counted", limit))
		}
		// Of each kind one line in ten seconds: another drill may have had it.
		whole, _ := t.server.LogFrom(0)
		if !strings.Contains(log, `"limit":"`+limit+`"`) && !strings.Contains(whole, `"limit":"`+limit+`"`) {
			err = errors.Join(err, fmt.Errorf("the limit %s is not in the log", limit))
		}
	}
	return err
}

// released waits until the server has given back what attackers held.
func (t *trial) released(ctx context.Context, d drill, before float64) error {
	if d.lingers {
		return nil
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		now, err := t.metric(ctx, "process_open_fds")
		if err == nil && now <= before+descriptorsMore {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%v descriptors are open, and %v were before: %w", now, before, err)
		}
	}
}

func (t *trial) metric(ctx context.Context, series string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.server.Client+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if value, is := strings.CutPrefix(lines.Text(), series+" "); is {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, errors.Join(lines.Err(), fmt.Errorf("there is no %s", series))
}
