package wire

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/net/http2/hpack"
)

// headEncoder encodes the heads of requests. After the first two of a path all of its fields stand in the server's table,
// and its head is the same few bytes each time.
type headEncoder struct {
	fields  []hpack.HeaderField // but the path
	encoder *hpack.Encoder
	buffer  bytes.Buffer
	said    map[string]bool   // paths whose fields are all in the table
	encoded map[string][]byte // heads that are right until a field is added to the table
}

func (e *headEncoder) init(authority string, options Options) {
	scheme := "http"
	if options.TLS != nil {
		scheme = "https"
	}
	e.fields = []hpack.HeaderField{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: scheme},
		{Name: ":authority", Value: authority}, {Name: "content-type", Value: "application/grpc"},
		{Name: "user-agent", Value: "quoin-trial"}, {Name: "te", Value: "trailers"},
	}
	if options.Token != "" {
		e.fields = append(e.fields, hpack.HeaderField{Name: "token", Value: options.Token})
	}
	e.encoder = hpack.NewEncoder(&e.buffer)
	e.said, e.encoded = map[string]bool{}, map[string][]byte{}
}

// limit is what the server's table may hold.
func (e *headEncoder) limit(tableBytes uint32) {
	e.encoder.SetMaxDynamicTableSizeLimit(tableBytes)
	clear(e.said)
	clear(e.encoded)
}

func (e *headEncoder) encode(path string) []byte {
	if head, known := e.encoded[path]; known {
		return head
	}
	e.buffer.Reset()
	e.encoder.WriteField(hpack.HeaderField{Name: ":path", Value: path}) // a buffer takes everything
	for _, field := range e.fields {
		e.encoder.WriteField(field)
	}
	if !e.said[path] {
		e.said[path] = true
		clear(e.encoded) // fields were added: the places of all others have moved
		return e.buffer.Bytes()
	}
	e.encoded[path] = bytes.Clone(e.buffer.Bytes())
	return e.encoded[path]
}

// head is what is looked at of an answer's head or trailers.
type head struct {
	httpStatus, grpcStatus, grpcMessage string
}

// outcome is what trailers say of a call that leaves so many bytes of an unfinished message behind.
func (h head) outcome(unfinished int) error {
	switch {
	case h.grpcStatus == "":
		return errors.New("the call ended without grpc-status")
	case h.grpcStatus != "0":
		return fmt.Errorf("grpc-status %s: %s", h.grpcStatus, h.grpcMessage)
	case unfinished > 0:
		return errors.New("the call ended within a message")
	}
	return nil
}

// headReader decodes the heads of answers. A server under load sends the same few bytes over and over: they mean the
// same as long as the table they refer to is the same, and are decoded once.
type headReader struct {
	decoder *hpack.Decoder
	reading *head
	known   map[string]head // heads that leave the table as it is
}

func (r *headReader) init() {
	r.known = map[string]head{}
	r.decoder = hpack.NewDecoder(4096, func(field hpack.HeaderField) {
		switch field.Name {
		case ":status":
			r.reading.httpStatus = field.Value
		case "grpc-status":
			r.reading.grpcStatus = field.Value
		case "grpc-message":
			r.reading.grpcMessage = field.Value
		}
	})
}

// The number of heads that are remembered: a server that never repeats itself must not fill our memory.
const knownHeadsMax = 64

func (r *headReader) read(block []byte) (head, error) {
	if h, known := r.known[string(block)]; known {
		return h, nil
	}
	var h head
	r.reading = &h
	if _, err := r.decoder.Write(block); err != nil {
		return h, err
	}
	if err := r.decoder.Close(); err != nil {
		return h, err
	}
	if !leavesTable(block) || len(r.known) >= knownHeadsMax {
		clear(r.known)
	}
	if leavesTable(block) {
		r.known[string(block)] = h
	}
	return h, nil
}

// leavesTable says whether a block of fields, which could be decoded, changes nothing in the table (RFC 7541, section 6).
func leavesTable(block []byte) bool {
	for len(block) > 0 {
		switch first := block[0]; {
		case first&0x80 != 0: // a field from the table
			_, block = integer(block, 7)
		case first&0xe0 != 0: // a field for the table, or a new size of it
			return false
		default: // a field that is not for the table
			var name uint64
			if name, block = integer(block, 4); name == 0 {
				block = passString(block)
			}
			block = passString(block)
		}
	}
	return true
}

func passString(block []byte) []byte {
	length, rest := integer(block, 7)
	return rest[min(length, uint64(len(rest))):]
}

// integer takes a number whose first byte has so many bits for it (RFC 7541, section 5.1).
func integer(block []byte, bits int) (uint64, []byte) {
	if len(block) == 0 {
		return 0, nil
	}
	most := byte(1)<<bits - 1
	value := uint64(block[0] & most)
	block = block[1:]
	if value < uint64(most) {
		return value, block
	}
	for shift := 0; len(block) > 0; shift += 7 {
		next := block[0]
		block = block[1:]
		value += uint64(next&0x7f) << shift
		if next&0x80 == 0 {
			break
		}
	}
	return value, block
}
