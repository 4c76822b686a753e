// Package certificates makes those of a server under trial and of its clients.
package certificates

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Keys makes a key.
type Keys func() (crypto.Signer, error)

// ECDSA makes keys on P-256.
func ECDSA() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// RSA makes keys of 2,048 bits.
func RSA() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// Authority signs certificates of a server and of those who ask it.
type Authority struct {
	dir  string
	keys Keys
	key  crypto.Signer
	root *x509.Certificate
	next int64
}

// New makes an authority, and the files of a server of 127.0.0.1, in dir.
func New(dir string) (*Authority, error) { return NewOf(ECDSA, dir) }

// NewOf is New with keys of another kind.
func NewOf(keys Keys, dir string) (*Authority, error) {
	a := &Authority{dir: dir, keys: keys, next: 1}
	var err error
	if a.key, err = keys(); err != nil {
		return nil, err
	}
	template := a.template("test authority")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	encoded, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	if a.root, err = x509.ParseCertificate(encoded); err != nil {
		return nil, err
	}
	if err := a.write("ca.pem", "CERTIFICATE", encoded); err != nil {
		return nil, err
	}
	server, err := a.sign("server")
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(server.PrivateKey)
	if err != nil {
		return nil, err
	}
	if err := a.write("server.key", "PRIVATE KEY", key); err != nil {
		return nil, err
	}
	return a, a.write("server.pem", "CERTIFICATE", server.Certificate[0])
}

// Flags are those of a server that has a certificate.
func (a *Authority) Flags() []string {
	return []string{"--cert-file", a.File("server.pem"), "--key-file", a.File("server.key")}
}

// FlagsAsking are those of a server that asks its clients for certificates, too.
func (a *Authority) FlagsAsking() []string {
	return append(a.Flags(), "--trusted-ca-file", a.File("ca.pem"), "--client-cert-auth")
}

// FlagsAmongMembers are those of a member that has the same with the others of its cluster, and asks them.
func (a *Authority) FlagsAmongMembers() []string {
	return []string{"--peer-cert-file", a.File("server.pem"), "--peer-key-file", a.File("server.key"),
		"--peer-trusted-ca-file", a.File("ca.pem"), "--peer-client-cert-auth"}
}

// Replace puts the contents of these files in the place of one of ours, in one step.
func (a *Authority) Replace(name string, by ...string) error {
	var content []byte
	for _, file := range by {
		part, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		content = append(content, part...)
	}
	if err := os.WriteFile(a.File("new"), content, 0o600); err != nil {
		return err
	}
	return os.Rename(a.File("new"), a.File(name))
}

// File is one of ca.pem, server.pem and server.key.
func (a *Authority) File(name string) string { return filepath.Join(a.dir, name) }

// Client is the configuration of who shows a certificate with this common name.
func (a *Authority) Client(commonName string) (*tls.Config, error) {
	certificate, err := a.sign(commonName)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.root)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}}, nil
}

func (a *Authority) template(commonName string) *x509.Certificate {
	a.next++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: commonName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
}

func (a *Authority) sign(commonName string) (tls.Certificate, error) {
	key, err := a.keys()
	if err != nil {
		return tls.Certificate{}, err
	}
	encoded, err := x509.CreateCertificate(rand.Reader, a.template(commonName), a.root, key.Public(), a.key)
	return tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: key}, err
}

func (a *Authority) write(name, kind string, content []byte) error {
	return os.WriteFile(a.File(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600)
}
