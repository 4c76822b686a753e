package main

import (
	"fmt"
	"maps"
	"strings"
)

// A lie falsifies what the right server has answered.
type lie struct {
	name string
	tell func(a *answer)
}

func replaced(old, new string) func(a *answer) {
	return func(a *answer) { a.body = strings.ReplaceAll(a.body, old, new) }
}

func without(name string) func(a *answer) {
	return func(a *answer) {
		a.head = maps.Clone(a.head)
		a.head.Del(name)
	}
}

var lies = []lie{
	{"a number of 64 bits is no string", replaced(`"count":"1"`, `"count":1`)},
	{"false is told", replaced(`"succeeded":true`, `"succeeded":true,"more":false`)},
	{"the first kind of event has its name", replaced(`{"kv":`, `{"type":"PUT","kv":`)},
	{"names are in camel case", replaced(`create_revision`, `createRevision`)},
	{"base64 is not padded", replaced(`=="`, `"`)},
	{"an error has the details that it has not", replaced(`{"code":5,"message":"Not Found"}`, `{"code":5,"message":"Not Found","details":[]}`)},
	{"an error of a stream is not inside of one", replaced(`{"error":{`, `{`)},
	{"a line does not end", replaced("}}\n", "}}")},
	{"what is left of JSON is not named", replaced("unexpected EOF", "EOF")},
	{"a refusal is told as a failure", func(a *answer) {
		if a.status == 400 {
			a.status = 500
		}
	}},
	{"the call's header is not shown", without("Grpc-Metadata-Content-Type")},
	{"pages may not read", without("Access-Control-Allow-Origin")},
}

// selfTest tells each lie about the answers that were all found to be right.
func (t *trial) selfTest() {
	for _, l := range lies {
		noticed := 0
		for _, p := range t.pairs {
			if p.difference() != nil {
				continue
			}
			l.tell(&p.answers[1])
			if p.difference() != nil {
				noticed++
			}
		}
		var err error
		if noticed == 0 {
			err = fmt.Errorf("of %d answers none was found to be wrong", len(t.pairs))
		}
		t.counts.Check("noticed: "+l.name, err)
	}
}
