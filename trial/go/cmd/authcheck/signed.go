package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"
)

// signed is a JSON Web Token by HS256, as etcd makes them (auth/jwt.go).
func signed(secret []byte, user string, revision uint64, expires time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		encode(fmt.Appendf(nil, `{"exp":%d,"revision":%d,"username":%q}`, expires.Unix(), revision, user))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// signedCallers show tokens that a server did not make itself: in time and out of it.
func signedCallers(secret []byte, revision uint64) []caller {
	soon, before := time.Now().Add(time.Hour), time.Now().Add(-time.Minute)
	return []caller{
		{name: "whose token has run out", token: signed(secret, "root", revision, before)},
		{name: "whose token was signed with another key", token: signed([]byte("another"), "root", revision, soon)},
		{name: "a reader whose token is of an old revision", token: signed(secret, "range", revision-1, soon)},
		{name: "a user whose token is of a revision to come", token: signed(secret, "prefix", revision+1, soon)},
		{name: "a user whose token was made elsewhere", token: signed(secret, "prefix", revision, soon)},
		{name: "root, by a token of an old revision", token: signed(secret, "root", revision-1, soon), isRoot: true},
		{name: "somebody unknown, by a token made elsewhere", token: signed(secret, "stranger", revision, soon)},
		{name: "a user without a password, by a token made elsewhere", token: signed(secret, "silent", revision, soon)},
	}
}
