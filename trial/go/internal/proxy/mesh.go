// Package proxy stands between the members of a cluster: what one sends to another can be held back or delayed, for each
// direction of each pair alone.
//
// Members know each other by one URL, so there is one listener for each member, and who dials is found out by asking the
// kernel whose socket it is. Linux only, and the members must be processes of this machine.
package proxy

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Link is one direction between two members.
type Link struct{ From, To string }

const (
	chunkBytes  = 32 << 10
	chunksAhead = 64 // of one connection, read and not yet due
)

// Mesh is the proxies of one cluster.
type Mesh struct {
	mutex       sync.Mutex
	changed     *sync.Cond // cut, or a connection
	cut         map[Link]bool
	delay       map[Link]time.Duration
	pids        map[int]string // whose process it is
	listeners   []net.Listener
	connections map[*connection]bool
}

// connection is two sockets, the dialler's and one to the listener that it meant.
type connection struct {
	dialler, dialled string
	sockets          [2]net.Conn
	closed           bool
}

// New makes a mesh without members.
func New() *Mesh {
	m := &Mesh{cut: map[Link]bool{}, delay: map[Link]time.Duration{}, pids: map[int]string{}, connections: map[*connection]bool{}}
	m.changed = sync.NewCond(&m.mutex)
	return m
}

// Listen stands in front of a member, and returns the URL that the others shall dial. It is a cluster.Proxy.
func (m *Mesh) Listen(name, target string) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	m.mutex.Lock()
	m.listeners = append(m.listeners, listener)
	m.mutex.Unlock()
	go func() {
		for {
			socket, err := listener.Accept()
			if err != nil {
				return
			}
			go m.serve(name, strings.TrimPrefix(target, "http://"), socket)
		}
	}()
	return "http://" + listener.Addr().String(), nil
}

// Know tells whose process it is that will dial.
func (m *Mesh) Know(pid int, name string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.pids[pid] = name
}

// Cut holds back everything on these links, until Heal.
func (m *Mesh) Cut(links ...Link) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, link := range links {
		m.cut[link] = true
	}
}

// Delay makes everything on these links late, until Heal.
func (m *Mesh) Delay(by time.Duration, links ...Link) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, link := range links {
		m.delay[link] = by
	}
}

// Heal ends all cuts and delays. What was held back arrives now, or, with reset, never: the connections that were cut
// are closed.
func (m *Mesh) Heal(reset bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for c := range m.connections {
		if reset && (m.cut[Link{c.dialler, c.dialled}] || m.cut[Link{c.dialled, c.dialler}]) {
			m.close(c)
		}
	}
	clear(m.cut)
	clear(m.delay)
	m.changed.Broadcast()
}

// Close ends everything.
func (m *Mesh) Close() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, listener := range m.listeners {
		listener.Close()
	}
	for c := range m.connections {
		m.close(c)
	}
	m.changed.Broadcast()
}

// close is called with the mutex held.
func (m *Mesh) close(c *connection) {
	if !c.closed {
		c.closed = true
		c.sockets[0].Close()
		c.sockets[1].Close()
		delete(m.connections, c)
	}
}

func (m *Mesh) serve(name, target string, from net.Conn) {
	dialler, err := m.ownerOf(from)
	if err != nil {
		from.Close() // it may dial again
		return
	}
	to, err := net.DialTimeout("tcp", target, time.Second)
	if err != nil {
		from.Close()
		return
	}
	c := &connection{dialler: dialler, dialled: name, sockets: [2]net.Conn{from, to}}
	m.mutex.Lock()
	m.connections[c] = true
	m.mutex.Unlock()
	go m.carry(c, Link{dialler, name}, from, to)
	m.carry(c, Link{name, dialler}, to, from)
}

// chunk is something that was read, and when it is due.
type chunk struct {
	bytes []byte
	due   time.Time
}

// carry moves bytes in one direction, in order, and none before it is due or while the link is cut. The end of the
// stream is something that is carried, too.
func (m *Mesh) carry(c *connection, link Link, from, to net.Conn) {
	queue := make(chan chunk, chunksAhead)
	go func() {
		defer close(queue)
		for {
			buffer := make([]byte, chunkBytes)
			n, err := from.Read(buffer)
			if err != nil {
				return
			}
			m.mutex.Lock()
			due := time.Now().Add(m.delay[link])
			m.mutex.Unlock()
			queue <- chunk{buffer[:n], due}
		}
	}()
	for next := range queue {
		time.Sleep(time.Until(next.due))
		if !m.pass(c, link) {
			break
		}
		if _, err := to.Write(next.bytes); err != nil {
			break
		}
	}
	m.pass(c, link)
	m.mutex.Lock()
	m.close(c)
	m.changed.Broadcast()
	m.mutex.Unlock()
	for range queue { // the reader must not wait for us
	}
}

// pass waits while the link is cut, and says whether the connection is still there.
func (m *Mesh) pass(c *connection, link Link) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for m.cut[link] && !c.closed {
		m.changed.Wait()
	}
	return !c.closed
}

// ownerOf finds the member whose socket dialled. A process may have been started so recently that it is not known yet.
func (m *Mesh) ownerOf(accepted net.Conn) (string, error) {
	dialler, listener := accepted.RemoteAddr().(*net.TCPAddr).Port, accepted.LocalAddr().(*net.TCPAddr).Port
	inode, err := inodeOf(dialler, listener)
	if err != nil {
		return "", err
	}
	for range 10 {
		if name := m.holderOf(inode); name != "" {
			return name, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return "", fmt.Errorf("no member has socket %s", inode)
}

// inodeOf finds the socket that is bound to one port and connected to another.
func inodeOf(local, remote int) (string, error) {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} { // the JVM's sockets speak both
		text, err := os.ReadFile(table)
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line) // sl local remote state queues timer retransmits uid timeout inode
			if len(fields) > 9 && portOf(fields[1]) == local && portOf(fields[2]) == remote {
				return fields[9], nil
			}
		}
	}
	return "", fmt.Errorf("no socket from port %d to %d", local, remote)
}

func portOf(address string) int {
	_, port, _ := strings.Cut(address, ":")
	n, err := strconv.ParseInt(port, 16, 32)
	if err != nil {
		return -1
	}
	return int(n)
}

func (m *Mesh) holderOf(inode string) string {
	m.mutex.Lock()
	pids := make(map[int]string, len(m.pids))
	for pid, name := range m.pids {
		pids[pid] = name
	}
	m.mutex.Unlock()
	for pid, name := range pids {
		dir := fmt.Sprintf("/proc/%d/fd", pid)
		files, err := os.ReadDir(dir)
		if err != nil {
			m.mutex.Lock()
			delete(m.pids, pid) // it has ended
			m.mutex.Unlock()
			continue
		}
		for _, file := range files {
			if link, err := os.Readlink(dir + "/" + file.Name()); err == nil && link == "socket:["+inode+"]" {
				return name
			}
		}
	}
	return ""
}
