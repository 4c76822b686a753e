package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// The data: every request of a kind is the same, on one key of 8 bytes with a value of 256.
const valueBytes = 256

// kind is a sort of request.
type kind struct {
	method  string
	key     string
	message proto.Message
	writes  bool
}

var kinds = map[string]kind{
	"put":  {"/etcdserverpb.KV/Put", "put-0001", &pb.PutRequest{Key: []byte("put-0001"), Value: value()}, true},
	"get":  {"/etcdserverpb.KV/Range", "get-0001", &pb.RangeRequest{Key: []byte("get-0001")}, false},
	"sget": {"/etcdserverpb.KV/Range", "get-0001", &pb.RangeRequest{Key: []byte("get-0001"), Serializable: true}, false},
	"txn":  {"/etcdserverpb.KV/Txn", "txn-0001", guardedUpdate("txn-0001"), true},
}

func value() []byte { return bytes.Repeat([]byte{'v'}, valueBytes) }

// guardedUpdate puts if the key is there. It always is, so that each request is a write.
func guardedUpdate(key string) *pb.TxnRequest {
	return &pb.TxnRequest{
		Compare: []*pb.Compare{{
			Key: []byte(key), Target: pb.Compare_VERSION, Result: pb.Compare_GREATER,
			TargetUnion: &pb.Compare_Version{Version: 0},
		}},
		Success: []*pb.RequestOp{{Request: &pb.RequestOp_RequestPut{
			RequestPut: &pb.PutRequest{Key: []byte(key), Value: value()},
		}}},
	}
}

// cell is a kind of request with so many in flight: "put1000".
type cell struct {
	kind
	name        string
	kindName    string
	connections int
	streams     int // on each connection
}

func parseCell(name string, connections int) (cell, error) {
	kindName := strings.TrimRight(name, "0123456789")
	k, known := kinds[kindName]
	inFlight, err := strconv.Atoi(name[len(kindName):])
	if !known || err != nil || inFlight < 1 {
		return cell{}, fmt.Errorf("no cell %q: a cell is put, txn, get or sget with a number, as in put1000", name)
	}
	connections = min(connections, inFlight)
	if inFlight%connections != 0 {
		return cell{}, fmt.Errorf("cell %s: %d in flight cannot be spread over %d connections", name, inFlight, connections)
	}
	return cell{k, name, kindName, connections, inFlight / connections}, nil
}

// body is a request as it travels: the five bytes of gRPC, not compressed, and the message.
func (k kind) body() ([]byte, error) {
	message, err := proto.Marshal(k.message)
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...), nil
}
