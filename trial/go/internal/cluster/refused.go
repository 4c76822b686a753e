package cluster

import (
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// unsent are words of gRPC, where there is no connection to send a request on, and of a learner.
var unsent = []string{"Error while dialing", "error reading server preface", "rpc not supported for learner"}

// Refused says whether an error proves that nothing has happened: the request was never sent, or was found unfit before
// anything was done about it.
func Refused(err error) bool {
	s := status.Convert(err)
	switch s.Code() {
	case codes.Unavailable:
		return slices.ContainsFunc(unsent, func(words string) bool { return strings.Contains(s.Message(), words) })
	case codes.InvalidArgument, codes.OutOfRange, codes.NotFound, codes.FailedPrecondition:
		return true
	case codes.ResourceExhausted:
		return strings.Contains(s.Message(), "too many requests")
	default:
		return false
	}
}
