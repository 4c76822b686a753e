package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"quoin.dev/trial/internal/load"
)

// The data: keys of 8 bytes, values of 256. Puts and gets go over all keys, a list over a part of them; each guarded update
// has a key of its own for as long as it takes, so that its guard holds.
const (
	keyBytes   = 8
	valueBytes = 256
	keysCount  = 10_000
	listedKeys = 1_000
	// Requests in flight at most: those of an open loop, and the connections with a call each.
	openSlots = 4_096
	slotsMax  = 16_384
)

// kind is a sort of request.
type kind struct {
	name   string
	what   string
	method string
	writes bool
	work   func() load.Work
}

var kinds = map[string]kind{
	"put":  {"put", "put", "/etcdserverpb.KV/Put", true, func() load.Work { return newPuts('k', keysCount) }},
	"txn":  {"txn", "guarded update", "/etcdserverpb.KV/Txn", true, nil}, // made by fill: it knows the revisions
	"get":  {"get", "linearizable get", "/etcdserverpb.KV/Range", false, func() load.Work { return newGets(false) }},
	"sget": {"sget", "serializable get", "/etcdserverpb.KV/Range", false, func() load.Work { return newGets(true) }},
	"list": {"list", fmt.Sprintf("list of %d keys", listedKeys), "/etcdserverpb.KV/Range", false, func() load.Work { return newList() }},
}

// cell is a kind of request with so many in flight, or with a timetable.
type cell struct {
	kind
	name        string
	connections int
	slots       int
	percent     int    // of the reference's capacity, in an open loop; 0 is a closed loop
	at          string // which members are asked: "leader", "follower", or all of them
}

const cellForms = "put, txn, get, sget or list; then a number in flight, as in put1000, with c at the end for a connection each; or a " +
	"percentage of what the second system can do, as in get@50; then, of several members, /leader or /follower"

var cellForm = regexp.MustCompile(`^([a-z]+?)(?:(\d+)(c?)|@(\d+))(?:/(leader|follower))?$`)

func parseCell(name string, connections int) (cell, error) {
	bad := func(what string) (cell, error) {
		return cell{}, fmt.Errorf("cell %q: %s; a cell is %s", name, what, cellForms)
	}
	parts := cellForm.FindStringSubmatch(name)
	if parts == nil {
		return bad("not of that form")
	}
	k, known := kinds[parts[1]]
	if !known {
		return bad("no such kind")
	}
	c := cell{kind: k, name: name, connections: connections, slots: openSlots, at: parts[5]}
	if parts[4] != "" {
		percent, err := strconv.Atoi(parts[4])
		if err != nil || percent < 1 || percent > 200 {
			return bad("from 1 to 200 percent")
		}
		c.percent = percent
		return c, nil
	}
	slots, err := strconv.Atoi(parts[2])
	if err != nil || slots < 1 || slots > slotsMax {
		return bad(fmt.Sprintf("from 1 to %d in flight", slotsMax))
	}
	c.slots, c.connections = slots, min(connections, slots)
	if parts[3] != "" {
		c.connections = slots
	}
	return c, nil
}

// parseCells reads cells with commas between them.
func parseCells(names string, connections int) ([]cell, error) {
	var cells []cell
	for name := range strings.SplitSeq(names, ",") {
		c, err := parseCell(strings.TrimSpace(name), connections)
		if err != nil {
			return nil, err
		}
		cells = append(cells, c)
	}
	return cells, nil
}

// describe is the cell in words.
func (c cell) describe() string {
	text := fmt.Sprintf("%s, %d in flight", c.what, c.slots)
	if c.percent > 0 {
		text = fmt.Sprintf("%s, timetable at %d %%", c.what, c.percent)
	} else if c.connections == c.slots && c.slots > 1 {
		text += ", a connection each"
	}
	switch c.at {
	case "leader":
		text += ", at the leader"
	case "follower":
		text += ", at a follower"
	}
	return text
}
