package proxy

import (
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echo is a listener that sends back what it gets.
func echo(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			socket, err := listener.Accept()
			if err != nil {
				return
			}
			go io.Copy(socket, socket)
		}
	}()
	return "http://" + listener.Addr().String()
}

// dial makes this process the member a, and dials b through the mesh.
func dial(t *testing.T, mesh *Mesh) net.Conn {
	mesh.Know(os.Getpid(), "a")
	url, err := mesh.Listen("b", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.Dial("tcp", url[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close(); mesh.Close() })
	return socket
}

// returns sends a byte and says whether it, or one sent before, comes back in time.
func returns(t *testing.T, socket net.Conn, within time.Duration) bool {
	if _, err := socket.Write([]byte("x")); err != nil {
		return false
	}
	return arrives(socket, within)
}

func arrives(socket net.Conn, within time.Duration) bool {
	socket.SetReadDeadline(time.Now().Add(within))
	_, err := socket.Read(make([]byte, 1))
	return err == nil
}

func TestEachDirectionIsCutAlone(t *testing.T) {
	for _, link := range []Link{{"a", "b"}, {"b", "a"}} {
		mesh := New()
		socket := dial(t, mesh)
		if !returns(t, socket, 5*time.Second) {
			t.Fatal("nothing comes back through a mesh that is whole")
		}
		mesh.Cut(link)
		if returns(t, socket, 200*time.Millisecond) {
			t.Errorf("%v is cut, and something came back", link)
		}
		mesh.Heal(false)
		if !arrives(socket, 5*time.Second) {
			t.Errorf("%v is healed, and what was held back does not come", link)
		}
	}
}

func TestOtherLinksAreNotCut(t *testing.T) {
	mesh := New()
	socket := dial(t, mesh)
	mesh.Cut(Link{"a", "c"}, Link{"c", "b"})
	if !returns(t, socket, 5*time.Second) {
		t.Error("another link is cut, and nothing comes back")
	}
}

func TestResetLosesWhatWasHeldBack(t *testing.T) {
	mesh := New()
	socket := dial(t, mesh)
	if !returns(t, socket, 5*time.Second) {
		t.Fatal("nothing comes back through a mesh that is whole")
	}
	mesh.Cut(Link{"a", "b"})
	socket.Write([]byte("x"))
	mesh.Heal(true)
	if arrives(socket, 5*time.Second) {
		t.Error("what was held back has arrived")
	}
}

func TestDelay(t *testing.T) {
	mesh := New()
	socket := dial(t, mesh)
	mesh.Delay(100*time.Millisecond, Link{"a", "b"}, Link{"b", "a"})
	began := time.Now()
	if !returns(t, socket, 5*time.Second) || time.Since(began) < 200*time.Millisecond {
		t.Errorf("there and back took %v", time.Since(began))
	}
}

// A process that is no member does not get through: every byte must be one that can be cut.
func TestStrangersAreRefused(t *testing.T) {
	mesh := New()
	url, err := mesh.Listen("b", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer mesh.Close()
	stranger, err := net.Dial("tcp", url[len("http://"):])
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if returns(t, stranger, 2*time.Second) {
		t.Error("a stranger was served")
	}
}
