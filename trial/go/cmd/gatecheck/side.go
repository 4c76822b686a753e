package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"quoin.dev/trial/internal/process"
)

// heads are the header fields that are compared.
var heads = []string{"Content-Type", "Grpc-Metadata-Content-Type", "Www-Authenticate", "Allow", "Location",
	"Access-Control-Allow-Methods", "Access-Control-Allow-Origin", "Access-Control-Allow-Headers"}

// answerWithin is how long a server may take for one answer, or one line of one.
const answerWithin = 10 * time.Second

// step is one request, and how its answer is to be read.
type step struct {
	what   string
	method string // POST unless told otherwise
	path   string
	header map[string]string
	body   string // with ${names} of what earlier answers said, as the header's values

	lines  int           // so many lines are read, and then the client goes; 0: to the end
	silent time.Duration // nothing comes for so long, and then the client goes
	during []step        // asked once the first line is there
	after  time.Duration // waited once the answer is there: the server has something left to do that shows in later answers

	save map[string]string // a name for what the group of a pattern matches in the answer
	mask []string          // patterns of which the group differs for good reasons
}

func (s step) name() string {
	what := s.what
	if what == "" {
		what = s.body
		if len(what) > 60 {
			what = what[:57] + "..."
		}
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %q", s.method, s.path, what))
}

// answer is what came back, made comparable.
type answer struct {
	err     error
	status  int
	head    http.Header
	body    string // lines one by one, compact, without ids
	compact bool   // whether the body had no white space of its own
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// side is one server, and what it has called things.
type side struct {
	name   string
	server *process.Server
	client *http.Client
	known  map[string]string
}

func newSide(name string) *side {
	return &side{name: name, known: map[string]string{}, client: &http.Client{
		Transport:     &http.Transport{Proxy: nil, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (s *side) stop() error {
	s.client.CloseIdleConnections()
	if s.server == nil {
		return nil
	}
	return s.server.Stop()
}

func (s *side) ask(ctx context.Context, asked step) answer {
	if asked.silent > 0 {
		return s.silence(ctx, asked)
	}
	answered := s.once(ctx, asked)
	time.Sleep(asked.after)
	return answered
}

// silence demands that nothing is answered.
func (s *side) silence(ctx context.Context, asked step) answer {
	ctx, cancel := context.WithTimeout(ctx, asked.silent)
	defer cancel()
	response, err := s.send(ctx, asked)
	if err == nil {
		defer response.Body.Close()
		return answer{status: response.StatusCode, body: "it was answered", compact: true}
	}
	if ctx.Err() == nil {
		return answer{err: err}
	}
	return answer{body: "silence", compact: true}
}

func (s *side) send(ctx context.Context, asked step) (*http.Response, error) {
	method := asked.method
	if method == "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, s.server.Client+asked.path, strings.NewReader(s.filled(asked.body)))
	if err != nil {
		return nil, err
	}
	for name, value := range asked.header {
		request.Header.Set(name, s.filled(value))
	}
	return s.client.Do(request)
}

// filled has what this side has said in the place of ${names}.
func (s *side) filled(text string) string {
	for name, value := range s.known {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	return text
}

func (s *side) once(ctx context.Context, asked step) answer {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	response, err := s.send(ctx, asked)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	got := answer{status: response.StatusCode, head: response.Header, compact: true}
	var body strings.Builder
	in := bufio.NewReaderSize(response.Body, 1<<20)
	for n := 0; asked.lines == 0 || n < asked.lines; n++ {
		line, err := in.ReadString('\n')
		body.WriteString(s.comparable(&got, asked, line))
		if err == io.EOF {
			break
		}
		if err != nil {
			return answer{err: fmt.Errorf("after %d lines, %s: %w", n, body.String(), err)}
		}
		if n == 0 {
			for _, more := range asked.during {
				if inner := s.once(ctx, more); inner.err != nil || inner.status != http.StatusOK {
					return answer{err: fmt.Errorf("meanwhile: %v, %w", inner, inner.err)}
				}
			}
		}
	}
	got.body = body.String()
	return got
}

// ids are what each server calls as it likes, wherever it stands.
var ids = regexp.MustCompile(`"(?:cluster_id|member_id|raft_term)":"([0-9]+)"`)

// comparable is a line as both servers should have it.
func (s *side) comparable(got *answer, asked step, line string) string {
	text := strings.TrimSuffix(line, "\n")
	var compact bytes.Buffer
	if json.Valid([]byte(text)) && json.Compact(&compact, []byte(text)) == nil {
		got.compact = got.compact && compact.String() == text
		text = compact.String()
	}
	// Go's protojson chooses between two kinds of blanks, by a hash of the program it is part of.
	text = strings.ReplaceAll(text, "proto:\u00a0", "proto: ")
	// A deadline is noticed by etcd's gateway or by the server behind it, whichever is first.
	text = strings.ReplaceAll(text, "stream terminated by RST_STREAM with error code: CANCEL", "context deadline exceeded")
	for name, pattern := range asked.save {
		if match := regexp.MustCompile(pattern).FindStringSubmatch(text); match != nil {
			s.known[name] = match[1]
		}
	}
	for name, value := range s.known {
		text = strings.ReplaceAll(text, `"`+value+`"`, `"${`+name+`}"`)
	}
	text = masked(ids, text)
	for _, pattern := range asked.mask {
		text = masked(regexp.MustCompile(pattern), text)
	}
	if strings.HasSuffix(line, "\n") {
		text += "\n"
	}
	return text
}

// masked has a star for what the pattern's group matches.
func masked(pattern *regexp.Regexp, text string) string {
	var out strings.Builder
	at := 0
	for _, match := range pattern.FindAllStringSubmatchIndex(text, -1) {
		out.WriteString(text[at:match[2]])
		out.WriteByte('*')
		at = match[3]
	}
	out.WriteString(text[at:])
	return out.String()
}
