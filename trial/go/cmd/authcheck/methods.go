package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// recorder is a connection that knows which methods were asked for.
type recorder struct {
	grpc.ClientConnInterface
	asked map[string]bool
}

// Invoke notes the method.
func (r recorder) Invoke(ctx context.Context, method string, request, answer any, options ...grpc.CallOption) error {
	r.asked[method] = true
	return r.ClientConnInterface.Invoke(ctx, method, request, answer, options...)
}

// NewStream notes the method.
func (r recorder) NewStream(ctx context.Context, description *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	r.asked[method] = true
	return r.ClientConnInterface.NewStream(ctx, description, method, options...)
}

// methods are all that etcd has, by its own descriptors.
func methods() []string {
	var all []string
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !slices.Contains([]protoreflect.FullName{"etcdserverpb", "v3lockpb", "v3electionpb"}, file.Package()) {
			return true
		}
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				all = append(all, fmt.Sprintf("/%s/%s", service.FullName(), service.Methods().Get(j).Name()))
			}
		}
		return true
	})
	slices.Sort(all)
	return all
}

// missing fails if there is a method that nobody has been asked about.
func missing(asked map[string]bool) error {
	all := methods()
	if len(all) != 49 {
		return fmt.Errorf("there are %d methods", len(all))
	}
	all = slices.DeleteFunc(all, func(method string) bool { return asked[method] })
	if len(all) > 0 {
		return fmt.Errorf("nobody was asked for %s", strings.Join(all, ", "))
	}
	return nil
}
