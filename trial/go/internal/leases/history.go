// Package leases judges what became of leases while leaders came and went: none ended before its time, none was
// forgotten, all keys of one ended in one revision, what had ended could not be renewed, and every member told the truth
// about those that lived.
//
// All times are one clock's, the client's, which does not jump. A lease may end its TTL after the renewal that was
// acknowledged last was sent, and no sooner: the server cannot have had it earlier. It must have ended its TTL after that
// renewal was answered, or after the cluster was whole again with its last leader, an election and some lateness more.
package leases

import (
	"fmt"
	"time"
)

// History is everything that one run has recorded.
type History struct {
	Leases   []*Lease
	Changes  []Change // by revision, with no revision twice
	Harms    []Harm   // by time
	Lists    []List
	End      time.Duration // until when changes were recorded
	Election time.Duration // the election timeout, by which a new leader extends every lease
	Late     time.Duration // how late the server and its witnesses may be

	// AsEtcd tolerates two faults of etcd 3.7.1:
	//   - Its leader renews a lease that it knows without having applied what is committed (feature FastLeaseKeepAlive): so
	//     for a moment one that another member has already seen end.
	//   - A leader that was suspended or cut off, and has a successor, revokes what has expired on its own clock. It asks
	//     whether it leads only once for up to 500 leases, and has 16 under way. Those are lost with its term and time out
	//     after 7 s; the next ones it proposes then, as a follower, and the successor ends what it has renewed meanwhile.
	AsEtcd bool
}

// Call is one request to one member.
type Call struct {
	Member         string
	Sent, Returned time.Duration
	Answered       bool // else it may have happened, until Returned or some time later
	TTL            int64
	Revision       int64
}

// Key is a key of a lease. Nobody else ever writes it.
type Key struct {
	Name string
	Call
}

// Query is what a member said about a lease.
type Query struct {
	Call
	Granted int64
	Keys    []string
	AllKeys bool // they were asked for
}

// Lease is what is known of one. Its grant was acknowledged.
type Lease struct {
	ID       int64
	TTL      int64 // as granted, in seconds
	Grant    Call
	Renewals []Call // the answer's TTL is 0 if there is no such lease
	Keys     []Key
	Revoke   *Call // nil: nobody asked for its end
	Queries  []Query
}

// Change is what one revision has put and deleted.
type Change struct {
	Revision int64
	At       time.Duration // when the first witness was told
	Put      []string
	Deleted  []string
}

// Harm is a time when the cluster was not whole, or had just changed its leader.
type Harm struct{ Begin, End time.Duration }

// List is what one member says, once the cluster is whole, which leases there are.
type List struct {
	Call
	IDs map[int64]bool
}

// Anomaly is one way of being wrong.
type Anomaly string

// The ways.
const (
	Early     Anomaly = "a lease ended before its time"
	Forgotten Anomaly = "a lease did not end in time"
	Torn      Anomaly = "the keys of a lease did not end in one revision"
	Undead    Anomaly = "a lease that had ended is still there"
	WrongTTL  Anomaly = "a time to live that cannot be"
	WrongKeys Anomaly = "keys of a lease that are not those"
	WrongList Anomaly = "a list of leases that is wrong"
)

// Violation is one place where a history is wrong.
type Violation struct {
	Anomaly Anomaly
	Lease   int64
	What    string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s: lease %d: %s", v.Anomaly, v.Lease, v.What)
}
