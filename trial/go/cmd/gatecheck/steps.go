package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// paths are all that etcd 3.7.1 has.
var paths = strings.Fields(`
	/v3/kv/range /v3/kv/put /v3/kv/deleterange /v3/kv/txn /v3/kv/compaction /v3/watch
	/v3/lease/grant /v3/lease/revoke /v3/kv/lease/revoke /v3/lease/keepalive /v3/lease/timetolive /v3/kv/lease/timetolive
	/v3/lease/leases /v3/kv/lease/leases
	/v3/cluster/member/add /v3/cluster/member/remove /v3/cluster/member/update /v3/cluster/member/list /v3/cluster/member/promote
	/v3/maintenance/alarm /v3/maintenance/status /v3/maintenance/defragment /v3/maintenance/hash /v3/maintenance/hashkv
	/v3/maintenance/snapshot /v3/maintenance/transfer-leadership /v3/maintenance/downgrade
	/v3/auth/enable /v3/auth/disable /v3/auth/status /v3/auth/authenticate
	/v3/auth/user/add /v3/auth/user/get /v3/auth/user/list /v3/auth/user/delete /v3/auth/user/changepw /v3/auth/user/grant
	/v3/auth/user/revoke /v3/auth/role/add /v3/auth/role/get /v3/auth/role/list /v3/auth/role/delete /v3/auth/role/grant
	/v3/auth/role/revoke
	/v3/lock/lock /v3/lock/unlock /v3/election/campaign /v3/election/proclaim /v3/election/leader /v3/election/observe
	/v3/election/resign`)

// silence is how long nothing has to come where nothing is to come.
const silence = 300 * time.Millisecond

func everything() []step {
	var all []step
	for _, family := range [][]step{forms(), keys(), transactions(), leases(), watches(), coordination(), cluster(), requestHeads(),
		maintenance(), users()} {
		all = append(all, family...)
	}
	return all
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func post(path string, bodies ...string) []step {
	var steps []step
	for _, body := range bodies {
		steps = append(steps, step{path: path, body: body})
	}
	return steps
}

func with(s step, steps []step) []step {
	for n := range steps {
		steps[n].save, steps[n].mask, steps[n].lines, steps[n].silent = s.save, s.mask, s.lines, s.silent
	}
	return steps
}

// forms are the ways in which a request is none, on each path: nothing of it reaches the store.
func forms() []step {
	var steps []step
	bad := []string{"{", "[]", "7", `"text"`, "nul", `{"a":1,}`, `{"a" 1}`, "\x00", `{"a":"\x"}`, `{"a":01}`, "true", "{'a':1}"}
	for n, path := range paths {
		for _, method := range []string{"GET", "PUT", "DELETE"}[n%3 : n%3+1] {
			steps = append(steps, step{method: method, path: path})
		}
		switch path {
		case "/v3/watch":
			// What it cannot read ends the client's side, and a watch goes on then.
			for _, body := range []string{"{", "[]", `{"create_request":7}`, "{}", ""} {
				steps = append(steps, step{path: path, body: body, silent: silence})
			}
		case "/v3/lease/keepalive":
			steps = append(steps, post(path, "{", "[]", `{"ID":"x"}`, "")...)
		default:
			for k := range 3 {
				steps = append(steps, step{path: path, body: bad[(3*n+k)%len(bad)]})
			}
		}
	}
	for _, path := range []string{"/v3/", "/v3/kv", "/v3/kv/range/", "/v3/kv/ranges", "/v3/KV/range", "/v3/kv/rangestream", "/v3alpha/kv/range",
		"/v3/health", "/v4/kv/range", "/v3beta/none"} {
		steps = append(steps, step{path: path, body: "{}"}, step{method: "GET", path: path})
	}
	return steps
}

// keys are requests about them, in their right and their odd spellings.
func keys() []step {
	a, b, c := b64("a"), b64("b"), b64("c")
	steps := post("/v3/kv/put",
		fmt.Sprintf(`{"key":"%s","value":"%s"}`, a, b64("1")),
		fmt.Sprintf(`{"key":"%s","value":"%s","prev_kv":true}`, a, b64("2")),
		fmt.Sprintf(`{"key":"%s","value":"%s","prevKv":true,"lease":0,"unknown":{"x":[1,null,{}]}}`, b, b64("<&>\"\\")),
		fmt.Sprintf(`{"key":"%s"} and what follows`, c),
		` { "key" : "YWE" , "value" : "-_-_" } `,
		`{"key":"YWE=","value":"+/+/","prev_kv":true}`,
		`{"key":"YW\nE=","value":"\u0059Q=="}`,
		`{"key":"YWEx","ignore_value":true}`,
		`{"key":"YQ==","ignore_value":true,"prev_kv":true}`,
		`{"key":"YQ==","value":"YQ==","ignore_value":true}`,
		`{"key":"YQ==","ignore_lease":true,"value":"Yg=="}`,
		`{"key":"YQ==","ignore_lease":true,"lease":"5"}`,
		`{"key":"YQ==","lease":"999"}`,
		`{"key":"YQ==","lease":999999999999999999999}`,
		`{"key":"YQ==","lease":1.5}`, `{"key":"YQ==","lease":"1e1"}`, `{"key":"YQ==","lease":1.0}`, `{"key":"YQ==","lease":" 1"}`,
		`{"key":"YQ==","lease":-1}`, `{"key":"YQ==","lease":"07"}`, `{"key":"YQ==","lease":true}`, `{"key":"YQ==","lease":null}`,
		``, `{}`, `null`, `{"key":""}`, `{"key":null}`, `{"key":"Y"}`, `{"key":"YQ="}`, `{"key":"YQ===="}`, `{"key":"!"}`, `{"key":7}`,
		`{"key":"YQ","key":"Yg"}`, `{"key":["YQ"]}`, `{"key":{}}`, `{"prev_kv":true,"prevKv":true}`, `{"prev_kv":"true"}`, `{"prev_kv":1}`,
		"{\"key\":\"YQ\",\n\"value\":\n7}", "{\"key\":\"\xff\"}", "{\"unknown\":\"\xff\"}", "{\"\xff\":1}", `{"é":1,"key":7}`,
		`{"key":"YQ`, `{"key":"YQ"`, "\t\r\n",
		"{\"key\":\"a\nb\"}", strings.Repeat(`{"a":`, 500)+"1"+strings.Repeat("}", 500),
		fmt.Sprintf(`{"key":"%s","value":"%s"}`, b64("large"), b64(strings.Repeat("v", 1_400_000))),
		fmt.Sprintf(`{"key":"%s","value":"%s"}`, b64("large"), b64(strings.Repeat("v", 1_700_000))),
		fmt.Sprintf(`{"key":"%s","value":"%s"}`, b64("large"), b64(strings.Repeat("v", 2_500_000))),
	)
	for n := range 12 {
		steps = append(steps, step{path: "/v3/kv/put", body: fmt.Sprintf(`{"key":"%s","value":"%s"}`, b64(fmt.Sprintf("k%02d", n)),
			b64(fmt.Sprintf("value %02d", 11-n)))})
	}
	steps = append(steps, post("/v3/kv/range",
		`{"key":"YQ=="}`, `{"key":"YQ"}`, `{"key":"none"}`, `{}`, ``, `{"key":"AA==","range_end":"AA=="}`, `{"key":"AA==","rangeEnd":"AA=="}`,
		`{"key":"AA==","range_end":"AA==","keys_only":true}`, `{"key":"AA==","range_end":"AA==","count_only":true}`,
		`{"key":"AA==","range_end":"AA==","limit":2}`, `{"key":"AA==","range_end":"AA==","limit":"2","keysOnly":true}`,
		`{"key":"AA==","range_end":"AA==","limit":-1,"count_only":true}`,
		`{"key":"aw==","range_end":"bA==","sort_order":"DESCEND","sort_target":"KEY"}`,
		`{"key":"aw==","range_end":"bA==","sort_order":2,"sort_target":4,"limit":3}`,
		`{"key":"aw==","range_end":"bA==","sort_order":"ASCEND","sort_target":"CREATE"}`,
		`{"key":"aw==","range_end":"bA==","sort_target":"MOD","sortOrder":"DESCEND","limit":"1"}`,
		`{"key":"aw==","range_end":"bA==","sort_order":"SIDEWAYS"}`, `{"key":"aw==","sort_order":7}`, `{"key":"aw==","sort_target":"9"}`,
		`{"key":"aw==","sort_target":9}`, `{"key":"aw==","sort_order":true}`, `{"key":"aw==","sort_order":-1}`,
		`{"key":"YQ==","revision":2}`, `{"key":"YQ==","revision":"2"}`, `{"key":"YQ==","revision":1}`, `{"key":"YQ==","revision":"1000000"}`,
		`{"key":"YQ==","revision":-7}`, `{"key":"YQ==","serializable":true}`, `{"key":"YQ==","serializable":"yes"}`,
		`{"key":"AA==","range_end":"AA==","min_mod_revision":5,"count_only":false,"keys_only":true}`,
		`{"key":"AA==","range_end":"AA==","max_mod_revision":"4"}`, `{"key":"AA==","range_end":"AA==","minCreateRevision":9,"keys_only":true}`,
		`{"key":"AA==","range_end":"AA==","max_create_revision":3}`, `{"key":"bA==","range_end":"aw=="}`,
		fmt.Sprintf(`{"key":"%s"}`, b64("large")),
	)...)
	steps = append(steps, post("/v3beta/kv/range", `{"key":"YQ=="}`, `{"key":1}`)...)
	return append(steps, post("/v3/kv/deleterange",
		`{"key":"YQ==","prev_kv":true}`, `{"key":"YQ=="}`, fmt.Sprintf(`{"key":"%s"}`, b64("large")),
		`{"key":"azAw","range_end":"azAz","prev_kv":true}`, `{"key":"YWE=","rangeEnd":""}`, `{}`, `{"key":"eno=","range_end":"AA=="}`,
		`{"range_end":"AA=="}`, `{"key":"\u0000"}`)...)
}

func transactions() []step {
	compare := func(compares, success, failure string) string {
		return fmt.Sprintf(`{"compare":[%s],"success":[%s],"failure":[%s]}`, compares, success, failure)
	}
	get := `{"request_range":{"key":"YQ=="}}`
	put := `{"requestPut":{"key":"YQ==","value":"YQ=="}}`
	many := strings.TrimSuffix(strings.Repeat(get+",", 129), ",")
	steps := post("/v3/kv/txn",
		`{}`, ``, compare("", "", ""), compare("", get, ""), compare("", put, ""), compare("", put+","+get, ""), compare("", put+","+put, ""),
		compare(`{"key":"YQ==","result":"EQUAL","target":"VERSION","version":"2"}`, get, put),
		compare(`{"key":"YQ==","result":"EQUAL","target":"VERSION","version":2}`, get, put),
		compare(`{"key":"YQ==","result":1,"target":2,"mod_revision":"1"}`, get, ""),
		compare(`{"key":"YQ==","result":"LESS","target":"CREATE","createRevision":"1000"}`, get, ""),
		compare(`{"key":"YQ==","result":"NOT_EQUAL","target":"VALUE","value":"YQ=="}`, get, `{"request_delete_range":{"key":"YQ==","prev_kv":true}}`),
		compare(`{"key":"YQ==","target":"LEASE","lease":0}`, get, ""), compare(`{"key":"YQ=="}`, get, ""),
		compare(`{"key":"AA==","range_end":"AA==","result":"GREATER","target":"VERSION"}`, get, ""),
		compare(`{"target":"VALUE"}`, "", ""), compare(`{"key":"YQ==","version":1,"value":""}`, "", ""),
		compare(`{"key":"YQ==","version":1,"value":null}`, get, ""), compare(`{"key":"YQ==","result":"MAYBE"}`, get, ""), compare(`null`, "", ""),
		compare("", `{"request_txn":{"success":[`+put+`]}}`, ""), compare("", `{"requestTxn":{"compare":[{"key":"YQ==","version":9}],"failure":[`+get+`]}}`, ""),
		compare("", `{}`, ""), compare("", `null`, ""), compare("", `{"request_put":{}}`, ""), compare("", `{"request_range":null}`, ""),
		compare("", `{"request_put":{"key":"YQ=="},"request_range":{"key":"YQ=="}}`, ""),
		compare("", `{"request_put":{"key":"YQ=="},"request_put":{"key":"YQ=="}}`, ""),
		compare("", many, ""), compare(many, "", ""),
		`{"compare":{}}`, `{"compare":null,"success":null}`, `{"success":[[]]}`, `{"success":7}`,
		compare("", `{"request_delete_range":{"key":"aw==","range_end":"bA==","prev_kv":true}},`+get, ""),
	)
	return append(steps, post("/v3/kv/compaction",
		`{"revision":3}`, `{}`, `{"revision":"3"}`, `{"revision":"2"}`, `{"revision":"1000000"}`, `{"revision":5,"physical":true}`,
		`{"revision":"6","physical":"true"}`, `{"physical":true,"revision":8.0}`)...)
}

func leases() []step {
	steps := post("/v3/lease/grant",
		`{"TTL":600,"ID":7}`, `{"TTL":"600","ID":"7"}`, `{"TTL":"1000","ID":"9223372036854775807"}`, `{"TTL":"700","ID":"8"}`,
		`{"TTL":"9000000001","ID":"9"}`, `{"TTL":"x"}`, `{"TTL":800,"ID":"-3"}`, `{"ID":"11","TTL":900}`)
	steps = append(steps, with(step{mask: []string{`"ID":"([0-9]+)"`}}, post("/v3/lease/grant", `{"ttl":600,"id":8}`, `{"TTL":1200}`, `{"TTL":1300,"ID":0}`))...)
	steps = append(steps, post("/v3/kv/put", `{"key":"bGVhc2U=","value":"YQ==","lease":"7"}`, `{"key":"bGVhc2Uy","lease":7}`,
		`{"key":"bGVhc2U=","ignore_lease":true,"value":"Yg==","prev_kv":true}`)...)
	ttl := step{mask: []string{`"TTL":"([0-9]+)"`}}
	for _, path := range []string{"/v3/lease/timetolive", "/v3/kv/lease/timetolive"} {
		steps = append(steps, with(ttl, post(path, `{"ID":7}`, `{"ID":"8"}`, `{"ID":"11","keys":true}`, `{"ID":"404"}`, `{}`, `{"ID":7,"keys":"true"}`))...)
	}
	steps = append(steps, with(step{mask: []string{`"TTL":"([0-9]+)"`, `"keys":\[([^\]]*)\]`}}, post("/v3/lease/timetolive", `{"ID":7,"keys":true}`))...)
	some := step{mask: []string{`"leases":\[(.*)\]`}}
	steps = append(steps, with(some, append(post("/v3/lease/leases", `{}`, ``), post("/v3/kv/lease/leases", `{}`, `{"a":1}`)...))...)
	steps = append(steps, post("/v3/lease/keepalive", `{"ID":7}`, `{"ID":"7"}{"ID":8}`+"\n"+`{"ID":"404"}`, `{"ID":11}nonsense`, `{}`, `{"ID":7}{"ID":[]}`)...)
	return append(steps, append(post("/v3/lease/revoke", `{"ID":"8"}`, `{"ID":"8"}`, `{"ID":"404"}`, `{}`, `{"ID":[]}`),
		post("/v3/kv/lease/revoke", `{"ID":"7"}`, `{"ID":7}`, `{"ID":"-3"}`, `{"ID":"9223372036854775807"}`)...)...)
}

func watches() []step {
	watch := func(lines int, body string) step { return step{path: "/v3/watch", body: body, lines: lines} }
	var steps []step
	for n := range 3 {
		steps = append(steps, step{path: "/v3/kv/put", body: fmt.Sprintf(`{"key":"%s","value":"%s"}`, b64("watched"), b64(strings.Repeat("v", n)))})
	}
	return append(steps,
		step{path: "/v3/kv/range", body: fmt.Sprintf(`{"key":"%s"}`, b64("watched")), save: map[string]string{"rev": `"create_revision":"([0-9]+)"`}},
		watch(1, `{"create_request":{"key":"YQ=="}}`),
		watch(1, `{"createRequest":{"watch_id":"7","progress_notify":true}}`),
		watch(2, fmt.Sprintf(`{"create_request":{"key":"%s","start_revision":"${rev}"}}`, b64("watched"))),
		watch(2, fmt.Sprintf(`{"create_request":{"key":"%s","range_end":"AA==","start_revision":"${rev}","prev_kv":true,"filters":["NODELETE"]}}`, b64("watched"))),
		watch(1, fmt.Sprintf(`{"create_request":{"key":"%s","start_revision":"${rev}","filters":["NOPUT","WHAT",1]}}`, b64("watched"))),
		watch(2, `{"create_request":{"key":"YQ==","start_revision":"1"}}`),
		watch(1, `{"create_request":{"key":"Yg==","range_end":"YQ=="}}`),
		watch(1, `{"create_request":{"key":"YQ==","start_revision":"-1"}}`),
		watch(2, `{"create_request":{"key":"YQ==","watch_id":7}}{"create_request":{"key":"YQ==","watch_id":7}}`),
		watch(2, `{"create_request":{"key":"YQ=="}}{"cancel_request":{"watch_id":"0"}}`),
		watch(1, `{"create_request":{"key":"YQ=="}}{"create_request"`),
		step{path: "/v3/watch", body: `{"cancel_request":{"watch_id":"5"}}`, silent: silence},
		step{path: "/v3/watch", body: `{"create_request":null}`, silent: silence},
		step{path: "/v3/watch", body: `{"create_request":{},"cancel_request":{}}`, silent: silence},
		step{what: "a put and a deletion meanwhile", path: "/v3/watch", body: `{"create_request":{"key":"bGl2ZQ==","prev_kv":true}}`, lines: 3, during: []step{
			{path: "/v3/kv/put", body: `{"key":"bGl2ZQ==","value":"MQ=="}`}, {path: "/v3/kv/deleterange", body: `{"key":"bGl2ZQ=="}`}}},
		step{what: "a transaction meanwhile", path: "/v3beta/watch", body: `{"create_request":{"key":"bGl2ZQ==","range_end":"bGl2Zg=="}}`, lines: 2, during: []step{
			{path: "/v3/kv/txn", body: `{"success":[{"request_put":{"key":"bGl2ZTE="}},{"request_put":{"key":"bGl2ZTI="}}]}`}}},
	)
}

// placeIsGone is how long a server may take to delete the key of a waiter that has gone: its client hears of the end before.
const placeIsGone = time.Second

// coordination has leases with names of their own, of which the keys of locks and elections are made.
func coordination() []step {
	steps := post("/v3/lease/grant", `{"TTL":600,"ID":4096}`, `{"TTL":600,"ID":4097}`)
	steps = append(steps, post("/v3/lock/lock", `{"name":"bG9jaw==","lease":"4096"}`, `{"name":"bG9jaw==","lease":4096}`, `{"name":"bG9jaw==","lease":"404"}`,
		`{"name":7}`)...)
	steps = append(steps, step{what: "a lock that others have", path: "/v3/lock/lock", body: `{"name":"bG9jaw==","lease":"4097"}`,
		header: map[string]string{"Grpc-Timeout": "300m"}, after: placeIsGone})
	steps = append(steps, post("/v3/lock/unlock", `{"key":"bG9jay8xMDAw"}`, `{"key":"bG9jay8xMDAw"}`, `{"key":"bm9uZQ=="}`, `{"key":1}`)...)
	steps = append(steps, post("/v3/election/leader", `{"name":"ZWxlY3Q="}`, `{}`)...)
	steps = append(steps, step{path: "/v3/election/observe", body: `{"name":"ZWxlY3Q="}`, silent: silence})
	steps = append(steps, post("/v3/election/proclaim", `{}`, `{"value":"YQ=="}`)...)
	steps = append(steps, post("/v3/election/resign", `{}`)...)
	steps = append(steps, step{path: "/v3/election/campaign", body: `{"name":"ZWxlY3Q=","lease":"4096","value":"Zmlyc3Q="}`,
		save: map[string]string{"led": `"leader":\{[^}]*"rev":"([0-9]+)"`}})
	leader := `{"name":"ZWxlY3Q=","key":"ZWxlY3QvMTAwMA==","rev":"${led}","lease":"4096"}`
	steps = append(steps, post("/v3/election/leader", `{"name":"ZWxlY3Q="}`)...)
	steps = append(steps, post("/v3/election/proclaim", `{"leader":`+leader+`,"value":"c2Vjb25k"}`,
		`{"leader":{"name":"ZWxlY3Q=","key":"ZWxlY3QvMTAwMA==","rev":"1","lease":"4096"},"value":"c2Vjb25k"}`)...)
	steps = append(steps, step{path: "/v3/election/observe", body: `{"name":"ZWxlY3Q="}`, lines: 1})
	steps = append(steps, step{path: "/v3/election/campaign", body: `{"name":"ZWxlY3Q=","lease":"4097"}`, header: map[string]string{"Grpc-Timeout": "300m"},
		after: placeIsGone})
	steps = append(steps, post("/v3/election/campaign", `{"name":"ZWxlY3Q=","lease":"404"}`, `{"name":"ZWxlY3Q=","lease":[]}`)...)
	return append(steps, append(post("/v3/election/resign", `{"leader":`+leader+`}`, `{"leader":`+leader+`}`, `{"leader":{}}`),
		post("/v3/election/leader", `{"name":"ZWxlY3Q="}`)...)...)
}

func cluster() []step {
	members := step{mask: []string{`"ID":"([0-9]+)"`, `"(?:peerURLs|clientURLs)":\[([^\]]*)\]`}, save: map[string]string{"member": `"members":\[\{"ID":"([0-9]+)"`}}
	steps := with(members, post("/v3/cluster/member/list", `{}`, `{"linearizable":true}`, `{"linearizable":1}`))
	steps = append(steps, post("/v3/cluster/member/add", `{}`, `{"peerURLs":[]}`, `{"peerURLs":["nonsense"]}`, `{"peerURLs":"http://a:1"}`, `{"peerURLs":[7]}`,
		`{"peerURLs":[null]}`, `{"peer_urls":["http://127.0.0.1:1"]}`)...)
	steps = append(steps, post("/v3/cluster/member/remove", `{}`, `{"ID":"7"}`, `{"ID":-7}`, `{"ID":"18446744073709551615"}`, `{"ID":"18446744073709551616"}`)...)
	steps = append(steps, post("/v3/cluster/member/promote", `{}`, `{"ID":"7"}`, `{"ID":"${member}"}`)...)
	return append(steps, with(members, post("/v3/cluster/member/update", `{"ID":"7","peerURLs":["http://127.0.0.1:1"]}`,
		`{"ID":"${member}","peerURLs":["http://127.0.0.1:1"]}`))...)
}

// requestHeads are requests of which the head matters.
func requestHeads() []step {
	get := `{"key":"YQ=="}`
	head := func(namesAndValues ...string) step {
		s := step{path: "/v3/kv/range", body: get, header: map[string]string{}, what: strings.Join(namesAndValues, " ")}
		for n := 0; n < len(namesAndValues); n += 2 {
			s.header[namesAndValues[n]] = namesAndValues[n+1]
		}
		return s
	}
	var steps []step
	for _, kind := range []string{"application/json", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8", "nonsense", "application/grpc-web"} {
		steps = append(steps, head("Content-Type", kind), head("Accept", kind))
	}
	steps = append(steps, head("Grpc-Timeout", "10S"), head("Grpc-Timeout", "soon"), head("Grpc-Timeout", "1"), head("Grpc-Timeout", "1x"), head("Grpc-Timeout", "0S"),
		head("Grpc-Timeout", "1n"), head("Grpc-Timeout", "-1S"), head("Grpc-Metadata-hasleader", "true"), head("Grpc-Metadata-Client-Api-Version", "3.7"),
		head("Grpc-Metadata-X-Bin", "AQI="), head("Authorization", "nonsense"), head("Authorization", "Bearer nonsense"), head("Origin", "http://a:1"),
		head("Grpc-Metadata-X", "y", "Cookie", "a=b"))
	steps = append(steps, step{path: "/v3/watch", what: "a deadline of a watch", body: "", header: map[string]string{"Grpc-Timeout": "100m"}},
		step{path: "/v3/watch", what: "a deadline behind the first line", body: `{"create_request":{"key":"YQ=="}}`, header: map[string]string{"Grpc-Timeout": "200m"}},
		step{path: "/v3/watch", what: "no deadline", body: "", header: map[string]string{"Grpc-Timeout": "never"}},
		step{path: "/v3/election/observe", what: "a deadline of an observer", body: "{}", header: map[string]string{"Grpc-Timeout": "100m"}})
	for _, path := range []string{"/v3/kv/range", "/v3/none", "/version"} {
		steps = append(steps, step{method: "OPTIONS", path: path, header: map[string]string{"Origin": "http://a:1"}})
	}
	return steps
}

func maintenance() []step {
	status := step{mask: []string{`"dbSize":"([0-9]+)"`, `"dbSizeInUse":"([0-9]+)"`, `"leader":"([0-9]+)"`, `"raftTerm":"([0-9]+)"`, `"raftIndex":"([0-9]+)"`, `"raftAppliedIndex":"([0-9]+)"`}}
	steps := with(status, post("/v3/maintenance/status", `{}`, ``, `{"a":null}`))
	steps = append(steps, post("/v3/maintenance/hashkv", `{}`, `{"revision":"1000000"}`, `{"revision":1}`, `{"revision":"x"}`)...)
	steps = append(steps, with(step{mask: []string{`"memberID":"([0-9]+)"`}}, post("/v3/maintenance/alarm", `{}`, `{"action":"GET"}`, `{"action":0,"alarm":"NOSPACE"}`,
		`{"action":"ACTIVATE","alarm":"NOSPACE","memberID":"77"}`, `{"action":"GET","alarm":"CORRUPT"}`, `{"action":"GET"}`,
		`{"action":"DEACTIVATE","alarm":1,"memberID":"77"}`, `{"action":"DEACTIVATE","alarm":"NOSPACE"}`, `{"action":"FROBNICATE"}`, `{"memberID":-1}`))...)
	steps = append(steps, post("/v3/maintenance/defragment", `{}`, ``)...)
	steps = append(steps, post("/v3/maintenance/transfer-leadership", `{}`, `{"targetID":"7"}`, `{"targetID":"${member}"}`, `{"targetID":"x"}`)...)
	steps = append(steps, with(step{mask: []string{`"hash":([0-9]+)`}}, post("/v3/maintenance/hash", `{}`))...)
	steps = append(steps, with(step{mask: []string{`"remaining_bytes":"([0-9]+)"`, `"blob":"([^"]*)"`}, lines: 1}, post("/v3/maintenance/snapshot", `{}`))...)
	return append(steps, post("/v3/maintenance/downgrade", `{}`, `{"action":"VALIDATE","version":"3.6"}`, `{"action":"VALIDATE","version":"2.0"}`, `{"action":"CANCEL"}`,
		`{"action":"ENABLE","version":"x"}`)...)
}

// users are last: once they are there, nobody else gets in.
func users() []step {
	steps := post("/v3/auth/status", `{}`)
	steps = append(steps, post("/v3/auth/authenticate", `{"name":"root","password":"a"}`, `{}`)...)
	steps = append(steps, post("/v3/auth/enable", `{}`)...)
	steps = append(steps, post("/v3/auth/user/add", `{"name":"root","password":"secret"}`, `{"name":"root","password":"secret"}`, `{"name":""}`, `{}`, `{"name":"bob","password":"bob"}`,
		`{"name":"cert","options":{"no_password":true}}`)...)
	steps = append(steps, post("/v3/auth/role/add", `{"name":"root"}`, `{"name":"reader"}`, `{"name":"reader"}`, `{}`)...)
	steps = append(steps, post("/v3/auth/role/grant", `{"name":"reader","perm":{"permType":"READ","key":"YQ==","range_end":"Yg=="}}`,
		`{"name":"reader","perm":{"permType":1,"key":"d3JpdGU="}}`, `{"name":"none","perm":{"key":"YQ=="}}`, `{"name":"reader"}`)...)
	steps = append(steps, post("/v3/auth/role/get", `{"role":"reader"}`, `{"role":"none"}`, `{}`)...)
	steps = append(steps, post("/v3/auth/role/list", `{}`)...)
	steps = append(steps, post("/v3/auth/user/grant", `{"user":"root","role":"root"}`, `{"user":"bob","role":"reader"}`, `{"user":"none","role":"reader"}`)...)
	steps = append(steps, post("/v3/auth/user/get", `{"name":"bob"}`, `{"name":"none"}`)...)
	steps = append(steps, post("/v3/auth/user/list", `{}`)...)
	steps = append(steps, post("/v3/auth/user/changepw", `{"name":"bob","password":"bob2"}`, `{"name":"none","password":"a"}`)...)
	steps = append(steps, post("/v3/auth/enable", `{}`)...)
	steps = append(steps, step{path: "/v3/auth/authenticate", body: `{"name":"root","password":"secret"}`, save: map[string]string{"token": `"token":"([^"]+)"`}})
	steps[len(steps)-1].mask = []string{`"token":"([^"]+)"`}
	steps = append(steps, post("/v3/auth/authenticate", `{"name":"root","password":"wrong"}`)...)
	steps = append(steps, post("/v3/auth/user/revoke", `{"name":"bob","role":"none"}`)...)
	steps = append(steps, post("/v3/auth/role/revoke", `{"role":"reader","key":"YQ=="}`)...)
	steps = append(steps, post("/v3/auth/role/delete", `{"role":"none"}`)...)
	steps = append(steps, post("/v3/auth/user/delete", `{"name":"none"}`)...)
	return append(steps, step{path: "/v3/auth/disable", body: `{}`, header: map[string]string{"Authorization": "${token}"}})
}
