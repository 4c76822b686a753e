// Protofacts prints what etcd's Go packages say about its messages and services: one sorted line for each message,
// field, oneof, enum, value, service and call. The tests of trial print the same of our own .proto files.
package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// Whoever is imported registers its descriptors.
	_ "go.etcd.io/etcd/api/v3/authpb"
	_ "go.etcd.io/etcd/api/v3/etcdserverpb"
	_ "go.etcd.io/etcd/api/v3/membershippb"
	_ "go.etcd.io/etcd/api/v3/mvccpb"
	_ "go.etcd.io/etcd/api/v3/versionpb"
	_ "go.etcd.io/etcd/server/v3/etcdserver/api/snap/snappb"
	_ "go.etcd.io/etcd/server/v3/etcdserver/api/v3election/v3electionpb"
	_ "go.etcd.io/etcd/server/v3/etcdserver/api/v3lock/v3lockpb"
	_ "go.etcd.io/etcd/server/v3/lease/leasepb"
	_ "go.etcd.io/etcd/server/v3/storage/wal/walpb"
	_ "go.etcd.io/raft/v3/raftpb"
	_ "google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	facts := facts{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !foreign(string(file.Package())) {
			facts.file(file)
		}
		return true
	})
	for _, fact := range slices.Sorted(maps.Keys(facts)) {
		fmt.Println(fact)
	}
}

// foreign packages come along as options of etcd's files, or with gRPC.
func foreign(name string) bool {
	return strings.HasPrefix(name, "google.") || name == "pb" || strings.HasPrefix(name, "grpc.") && name != "grpc.health.v1"
}

type facts map[string]bool

func (f facts) add(format string, args ...any) { f[fmt.Sprintf(format, args...)] = true }

func (f facts) file(file protoreflect.FileDescriptor) {
	f.messages(file.Messages())
	f.enums(file.Enums())
	for i := range file.Extensions().Len() {
		f.field(file.Extensions().Get(i), "extension")
	}
	for i := range file.Services().Len() {
		service := file.Services().Get(i)
		f.add("service %s", service.FullName())
		for i := range service.Methods().Len() {
			call := service.Methods().Get(i)
			f.add("rpc %s: %s%s -> %s%s", call.FullName(), when(call.IsStreamingClient(), "stream "), call.Input().FullName(),
				when(call.IsStreamingServer(), "stream "), call.Output().FullName())
		}
	}
}

func (f facts) messages(messages protoreflect.MessageDescriptors) {
	for i := range messages.Len() {
		message := messages.Get(i)
		f.add("message %s", message.FullName())
		for i := range message.Fields().Len() {
			f.field(message.Fields().Get(i), "field")
		}
		for i := range message.Oneofs().Len() {
			f.add("oneof %s", message.Oneofs().Get(i).FullName())
		}
		f.messages(message.Messages())
		f.enums(message.Enums())
	}
}

// field has everything that shows on the wire or in JSON.
func (f facts) field(field protoreflect.FieldDescriptor, what string) {
	kind := field.Kind().String()
	if field.Message() != nil {
		kind = string(field.Message().FullName())
	} else if field.Enum() != nil {
		kind = string(field.Enum().FullName())
	}
	oneof := ""
	if field.ContainingOneof() != nil {
		oneof = " in " + string(field.ContainingOneof().Name())
	}
	f.add("%s %s = %d: %s %s, json %s%s%s%s", what, field.FullName(), field.Number(), field.Cardinality(), kind, field.JSONName(),
		when(field.IsPacked(), ", packed"), when(field.HasPresence(), ", presence"), oneof)
	if field.HasDefault() {
		f.add("default %s = %v", field.FullName(), field.Default())
	}
}

func (f facts) enums(enums protoreflect.EnumDescriptors) {
	for i := range enums.Len() {
		enum := enums.Get(i)
		f.add("enum %s%s", enum.FullName(), when(enum.IsClosed(), ", closed"))
		for i := range enum.Values().Len() {
			value := enum.Values().Get(i)
			f.add("value %s.%s = %d", enum.FullName(), value.Name(), value.Number())
		}
	}
}

func when(holds bool, words string) string {
	if holds {
		return words
	}
	return ""
}
