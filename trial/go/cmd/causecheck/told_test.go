package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

const metrics = `# HELP quoin_paused_seconds_total Time.
# TYPE quoin_paused_seconds_total counter
quoin_paused_seconds_total 1.5
quoin_slow_requests_total{phase="sync"} 7
quoin_slow_requests_total{phase="peer"} 0
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.128"} 90
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 93
etcd_disk_wal_fsync_duration_seconds_count 93
etcd_network_peer_round_trip_time_seconds_bucket{To="a",le="0.1024"} 3
etcd_network_peer_round_trip_time_seconds_count{To="a"} 4
etcd_network_peer_round_trip_time_seconds_bucket{To="b",le="0.1024"} 1
etcd_network_peer_round_trip_time_seconds_count{To="b"} 3
odd{text="with a blank"} 3
`

func TestWhatAMemberTellsIsUnderstood(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		answer.Write([]byte(metrics))
	}))
	defer server.Close()
	p, err := scrape(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if p.paused() != 1.5 || p.slowSyncs() != 3 || p.slowWays() != 3 || p.slowRequests()["sync"] != 7 {
		t.Errorf("paused %v, slow syncs %v, slow ways %v, slow requests %v", p.paused(), p.slowSyncs(), p.slowWays(), p.slowRequests())
	}
	log := `{"level":"warn","msg":"request stats","guilty-phase":"sync"}
{"level":"warn","msg":"apply request took too long","guilty-phase":"apply"}
no JSON
{"level":"warn","msg":"request stats","guilty-phase":"sync"}
`
	if lines := guilty(log); lines["sync"] != 2 || len(lines) != 1 {
		t.Error(lines)
	}
}

func TestOnlyTheRightPhaseWillDo(t *testing.T) {
	right := observation{
		lines:   map[string]int{"sync": 90, "queue": 10},
		counted: map[string]float64{"sync": 900, "queue": 50},
		signs:   map[string]float64{"sync": 20, "peer": 0, "queue": 0.01},
	}
	if err := right.blames("sync"); err != nil {
		t.Error(err)
	}
	for phase := range signs {
		if phase != "sync" && right.blames(phase) == nil {
			t.Errorf("%s is blamed", phase)
		}
	}
	for name, spoil := range map[string]func(o *observation){
		"the log names others":     func(o *observation) { o.lines = map[string]int{"sync": 50, "apply": 50} },
		"the log says nothing":     func(o *observation) { o.lines = nil },
		"the metrics name others":  func(o *observation) { o.counted = map[string]float64{"sync": 10, "peer": 10} },
		"its sign does not move":   func(o *observation) { o.signs = map[string]float64{"sync": 0} },
		"the sign of another does": func(o *observation) { o.signs = map[string]float64{"sync": 20, "queue": 0.9} },
	} {
		spoiled := right
		spoil(&spoiled)
		if spoiled.blames("sync") == nil {
			t.Errorf("%s, and nobody notices", name)
		}
	}
}
