package trace

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
)

// mask replaces what a trace must not tell, so that it can be given away:
// resume secrets and identities (hashed or not), the names of operators, the
// serial numbers of GPUs, addresses of gates, and what the system said of an
// end. It works on the JSON itself, so that it holds for events, snapshots and
// frames alike, and for those that come later.
//
// What is told apart by its value gets another value that is the same wherever
// the first was, so that a replay takes the same turns. The key that it is made
// with is random, and gone with the recorder: nobody can try values out.
type mask struct{ key []byte }

func newMask() mask {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return mask{key}
}

// private matches a member of a JSON object by its name, in JSON without white
// space. Within a string its quotes would be escaped, so it matches nowhere else.
var private = regexp.MustCompile(`"(secret|identity|by|uuid|gate_url|reason)":"((?:[^"\\]|\\.)+)"`) //nolint:gochecknoglobals // a constant

// word is a reason of ours; others are the system's words, which may name files.
var word = regexp.MustCompile(`^[a-z_]+$`) //nolint:gochecknoglobals // a constant

// NoGate stands where a gate's address was.
const NoGate = "http://gate.invalid"

func (m mask) apply(line []byte) []byte {
	if !bytes.Contains(line, []byte(`":"`)) {
		return line
	}
	return private.ReplaceAllFunc(line, func(member []byte) []byte {
		part := private.FindSubmatch(member)
		name, value := string(part[1]), part[2]
		switch name {
		case "gate_url":
			value = []byte(NoGate)
		case "reason":
			if !word.Match(value) {
				value = []byte("other")
			}
		default:
			value = m.of(name, value)
		}
		return []byte(`"` + name + `":"` + string(value) + `"`)
	})
}

// of is the value's stand-in: 80 bits, so that no two values meet.
func (m mask) of(name string, value []byte) []byte {
	h := hmac.New(sha256.New, m.key)
	h.Write([]byte(name + "\x00"))
	h.Write(value)
	return []byte(base32.StdEncoding.EncodeToString(h.Sum(nil)[:10]))
}
