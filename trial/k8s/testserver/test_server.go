// Package testserver takes the place of the package of this name in k8s.io/apiserver, for which it is compiled: where
// Kubernetes' own tests of its storage would start an etcd inside their process, they start the server under trial, as a
// process of its own. Nothing else of them is changed.
//
// The environment says what is started: TRIAL_SERVER is a program with etcd's flags.
package testserver

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/kubernetes"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"
	storagetesting "k8s.io/apiserver/pkg/storage/testing"
)

// startMax is how long a server may take until it answers.
const startMax = time.Minute

// NewTestConfig is a configuration with free ports and a data directory of the test's own. Only these and the interval of
// progress notifications are looked at.
func NewTestConfig(t testing.TB) *embed.Config {
	t.Helper()
	config := embed.NewConfig()
	ports, err := freePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	client := url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))}
	peer := url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[1]))}
	config.ListenPeerUrls = []url.URL{peer}
	config.AdvertisePeerUrls = []url.URL{peer}
	config.ListenClientUrls = []url.URL{client}
	config.AdvertiseClientUrls = []url.URL{client}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.Dir = filepath.Join(t.TempDir(), "data")
	return config
}

// freePorts finds ports below the range from which the kernel takes those of outgoing connections.
func freePorts(n int) ([]int, error) {
	lowest, highest := 12_000, 31_999
	if bounds := os.Getenv("TRIAL_PORTS"); bounds != "" {
		if _, err := fmt.Sscanf(bounds, "%d-%d", &lowest, &highest); err != nil || lowest < 1 || highest < lowest {
			return nil, fmt.Errorf("TRIAL_PORTS is %q, not like 22000-22199", bounds)
		}
	}
	var ports []int
	// Tests of several processes may look at once: they begin at different places.
	for i := range highest - lowest + 1 {
		port := lowest + (os.Getpid()*37+int(time.Now().UnixNano()/1000)+i)%(highest-lowest+1)
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		defer listener.Close() // keeps the port until all are found, so that none is found twice
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports between %d and %d", n, lowest, highest)
}

// RunEtcd starts a server that ends with the test, and gives a client of it that records what Kubernetes asks.
func RunEtcd(t testing.TB, config *embed.Config) *kubernetes.Client {
	t.Helper()
	program := os.Getenv("TRIAL_SERVER")
	if program == "" {
		t.Fatal("TRIAL_SERVER is not set: a program with etcd's flags")
	}
	if config == nil {
		config = NewTestConfig(t)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	address := config.ListenClientUrls[0].Host
	server := exec.Command(program, "--data-dir", config.Dir,
		"--listen-client-urls", config.ListenClientUrls[0].String(), "--advertise-client-urls", config.AdvertiseClientUrls[0].String(),
		"--listen-peer-urls", config.ListenPeerUrls[0].String(), "--initial-advertise-peer-urls", config.AdvertisePeerUrls[0].String(),
		"--initial-cluster", config.InitialCluster, "--watch-progress-notify-interval", config.WatchProgressNotifyInterval.String())
	server.Stdout, server.Stderr = log, log
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() {
		server.Process.Kill()
		<-ended
	})

	client, err := kubernetes.New(clientv3.Config{
		Endpoints:   []string{config.AdvertiseClientUrls[0].String()},
		DialTimeout: 10 * time.Second,
		Logger:      zaptest.NewLogger(t, zaptest.Level(zapcore.ErrorLevel)).Named("etcd-client"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := await(address, ended); err != nil {
		printed, _ := os.ReadFile(log.Name())
		t.Fatalf("%v; it printed:\n%s", err, printed)
	}
	kubernetesRecorder := storagetesting.NewKubernetesRecorder(client.Kubernetes)
	client.KV = storagetesting.NewKVRecorder(client.KV, kubernetesRecorder)
	client.Kubernetes = kubernetesRecorder
	return client
}

// await waits until the server says what it is. It opens sockets of its own: a channel of gRPC would back off first.
func await(address string, ended chan error) error {
	deadline := time.Now().Add(startMax)
	for {
		err := answers(address)
		if err == nil {
			return nil
		}
		select {
		case end := <-ended:
			ended <- end
			return fmt.Errorf("the server has ended: %v", end)
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server was not ready within %v: %w", startMax, err)
		}
	}
}

func answers(address string) error {
	probe, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	probe.Close()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{address}, DialTimeout: time.Second})
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err = client.Get(ctx, "ready")
	return err
}
