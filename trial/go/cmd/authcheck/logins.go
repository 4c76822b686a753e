package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"quoin.dev/trial/internal/tally"
)

// loginsWanted is what two processors must take in a second, from users who know their passwords.
const loginsWanted = 500

// figures are of one side.
type figures struct {
	logins     float64 // a second, as many as it takes
	puts       float64 // a second, alone
	putsBeside float64 // the same while loginsWanted log in each second
	paced      float64 // logins a second beside those puts
}

// measureLogins prints how many logins each side takes, and what its puts notice.
func measureLogins(ctx context.Context, sides [2]*side, length time.Duration, counts *tally.Tally) {
	for i, s := range sides {
		name := []string{"left", "right"}[i]
		f, err := s.measure(ctx, length)
		if err == nil && i == 1 && f.logins < loginsWanted {
			err = fmt.Errorf("fewer than %d", loginsWanted)
		}
		counts.Check(fmt.Sprintf("%s: %.0f logins/s; %.0f puts/s alone, %.0f (%+.1f %%) beside %.0f logins/s", name, f.logins, f.puts, f.putsBeside,
			100*(f.putsBeside/f.puts-1), f.paced), err)
	}
}

func (s *side) measure(ctx context.Context, length time.Duration) (figures, error) {
	var f figures
	put := func(ctx context.Context) error {
		_, err := pb.NewKVClient(s.admin).Put(s.root(ctx), &pb.PutRequest{Key: []byte("k/a"), Value: make([]byte, 256)})
		return err
	}
	users := []string{"plain", "exact", "range", "from", "two", "prefix", "writer", "other"}
	var next atomic.Int64
	login := func(ctx context.Context) error {
		user := users[next.Add(1)%int64(len(users))]
		_, err := pb.NewAuthClient(s.admin).Authenticate(ctx, &pb.AuthenticateRequest{Name: user, Password: "pass of " + user})
		return err
	}
	var err error
	for range 2 { // the first time does not count: servers grow warm
		if f.logins, err = closedLoop(ctx, length, login); err != nil {
			return f, err
		}
		if f.puts, err = closedLoop(ctx, length, put); err != nil {
			return f, err
		}
		beside, cancel := context.WithCancel(ctx)
		var paced atomic.Int64
		done := make(chan error, 1)
		go func() { done <- timetable(beside, login, &paced) }()
		f.putsBeside, err = closedLoop(ctx, length, put)
		cancel()
		if err = errors.Join(err, <-done); err != nil {
			return f, err
		}
		f.paced = float64(paced.Load()) / length.Seconds()
	}
	return f, nil
}

// closedLoop does something as often as sixteen can, one after the other each.
func closedLoop(ctx context.Context, length time.Duration, do func(ctx context.Context) error) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var done atomic.Int64
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	begin := time.Now()
	for range 16 {
		group.Go(func() {
			for ctx.Err() == nil {
				if err := do(ctx); err == nil {
					done.Add(1)
				} else if ctx.Err() == nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(begin).Seconds(), nil
}

// timetable logs in loginsWanted times a second, as far as the server comes along: at most 64 wait.
func timetable(ctx context.Context, login func(ctx context.Context) error, done *atomic.Int64) error {
	ticks := time.NewTicker(time.Second / loginsWanted)
	defer ticks.Stop()
	places := make(chan struct{}, 64)
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	defer group.Wait()
	for {
		select {
		case <-ctx.Done():
			if err := failed.Load(); err != nil {
				return *err
			}
			return nil
		case <-ticks.C:
		}
		select {
		case places <- struct{}{}:
		default:
			continue
		}
		group.Go(func() {
			if err := login(ctx); err == nil {
				done.Add(1)
			} else if ctx.Err() == nil {
				failed.Store(&err)
			}
			<-places
		})
	}
}
