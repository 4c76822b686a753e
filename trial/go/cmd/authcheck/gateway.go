package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// gateway is a connection of a gRPC client that asks in JSON, over HTTP: so the same questions can be put in both ways. What is
// to be sent over a stream is its first message alone.
type gateway struct {
	url    string
	client *http.Client
}

func newGateway(url string, certificate *tls.Config) *gateway {
	return &gateway{url: url, client: &http.Client{Transport: &http.Transport{TLSClientConfig: certificate, DisableCompression: true}}}
}

// path is where the gateway has a method; empty if it has not.
func path(method string) string {
	name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(method, "/"), "/", "."))
	descriptor, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return ""
	}
	rule, is := proto.GetExtension(descriptor.Options(), annotations.E_Http).(*annotations.HttpRule)
	if !is {
		return ""
	}
	return rule.GetPost()
}

func (g *gateway) send(ctx context.Context, method string, request any) (*http.Response, error) {
	where := path(method)
	if where == "" {
		return nil, status.Errorf(codes.Unimplemented, "%s is not in the gateway", method)
	}
	body, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(request.(proto.Message))
	if err != nil {
		return nil, err
	}
	asked, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+where, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if sent, has := metadata.FromOutgoingContext(ctx); has {
		for _, token := range sent.Get("token") {
			asked.Header.Set("Authorization", token)
		}
	}
	response, err := g.client.Do(asked)
	if ctx.Err() != nil {
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		return nil, refusal(response.StatusCode, text)
	}
	return response, nil
}

// refusal is an answer that is an error, as gRPC would have told it.
func refusal(httpStatus int, body []byte) error {
	type said struct {
		Code    codes.Code
		Message string
	}
	var whole said
	if json.Unmarshal(body, &whole) == nil && whole.Code != codes.OK {
		return status.Error(whole.Code, whole.Message)
	}
	var within struct{ Error said } // of a stream
	if json.Unmarshal(body, &within) == nil && within.Error.Code != codes.OK {
		return status.Error(within.Error.Code, within.Error.Message)
	}
	return status.Errorf(codes.Unknown, "HTTP %d: %s", httpStatus, strings.TrimSpace(string(body)))
}

func take(body []byte, into any) error {
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(body, into.(proto.Message))
}

// Invoke asks once.
func (g *gateway) Invoke(ctx context.Context, method string, request, answer any, _ ...grpc.CallOption) error {
	response, err := g.send(ctx, method, request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return take(body, answer)
}

// NewStream asks once it is given the first message.
func (g *gateway) NewStream(ctx context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return &gatewayStream{ctx: ctx, gateway: g, method: method}, nil
}

type gatewayStream struct {
	ctx     context.Context
	gateway *gateway
	method  string
	lines   *bufio.Reader
	refused error // what is told to whoever waits for an answer, as gRPC does
}

func (s *gatewayStream) Header() (metadata.MD, error) { return nil, nil }
func (s *gatewayStream) Trailer() metadata.MD         { return nil }
func (s *gatewayStream) CloseSend() error             { return nil }
func (s *gatewayStream) Context() context.Context     { return s.ctx }

func (s *gatewayStream) SendMsg(request any) error {
	response, err := s.gateway.send(s.ctx, s.method, request)
	if err != nil {
		s.refused = err
		return nil
	}
	context.AfterFunc(s.ctx, func() { response.Body.Close() })
	s.lines = bufio.NewReaderSize(response.Body, 1<<20)
	return nil
}

func (s *gatewayStream) RecvMsg(answer any) error {
	if s.refused != nil {
		return s.refused
	}
	line, err := s.lines.ReadBytes('\n')
	if len(bytes.TrimSpace(line)) == 0 {
		if s.ctx.Err() != nil {
			return status.FromContextError(s.ctx.Err()).Err()
		}
		if err == nil {
			err = fmt.Errorf("an empty line")
		}
		return err
	}
	var said struct {
		Result json.RawMessage
		Error  json.RawMessage
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return fmt.Errorf("%q: %w", line, err)
	}
	if said.Error != nil {
		return refusal(http.StatusOK, said.Error)
	}
	return take(said.Result, answer)
}
