package ticket_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/wire/ticket"
)

const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" // of RFC 8037

func jwks(ids ...string) []byte {
	var set ticket.JWKS
	for _, id := range ids {
		set.Keys = append(set.Keys, ticket.JWK{Type: "OKP", Curve: "Ed25519", Use: "sig", Alg: "EdDSA", ID: id, X: x})
	}
	data, _ := json.Marshal(set)
	return data
}

func TestParseKeys(t *testing.T) {
	keys, err := ticket.ParseKeys([]byte(`{"keys":[{"kty":"RSA","kid":"r","n":"x"},{"kty":"OKP","crv":"Ed25519","kid":"a","x":"` + x + `"}]}`))
	if err != nil || len(keys) != 1 || len(keys["a"]) != 32 {
		t.Fatalf("got %v, %v", keys, err)
	}
	for _, bad := range []string{
		"", "[]", `{"keys":[]}`, `{"keys":[{"kty":"RSA","kid":"r"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"short"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","use":"enc","kid":"a","x":"` + x + `"}]}`,
		string(jwks(strings.Split(strings.Repeat("k,", 40)+"z", ",")...)),
	} {
		if keys, err := ticket.ParseKeys([]byte(bad)); err == nil {
			t.Errorf("%.60q: got %v; want an error", bad, keys)
		}
	}
}

func TestRemote(t *testing.T) {
	var asked atomic.Int32
	var answer atomic.Pointer[[]byte]
	set := func(data []byte) { answer.Store(&data) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if data := *answer.Load(); data != nil {
			_, _ = w.Write(data)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	now := start()
	remote := &ticket.Remote{URL: server.URL, Client: server.Client(), Now: func() time.Time { return now }}

	for _, step := range []struct {
		what  string
		after time.Duration
		serve []byte
		key   string
		want  error // nil, ErrUnknownKey, or any other
		asked int32
	}{
		{"the service is away", 0, nil, "a", errAny, 1},
		{"and is not asked again at once", time.Second, jwks("a"), "a", ticket.ErrUnknownKey, 1},
		{"but soon", 4 * time.Second, jwks("a"), "a", nil, 2},
		{"a known key costs nothing", 30 * time.Second, jwks("a"), "a", nil, 2},
		{"an unknown one asks", 0, jwks("a", "b"), "b", nil, 3},
		{"forged ids ask no more than so often", time.Second, jwks("a", "b"), "forged", ticket.ErrUnknownKey, 3},
		{"old keys are looked at again", time.Minute, jwks("b"), "b", nil, 4},
		{"and a key that is gone is unknown", 0, jwks("b"), "a", ticket.ErrUnknownKey, 4},
		{"while the service is away the old keys hold", 2 * time.Minute, nil, "b", nil, 5},
	} {
		now = now.Add(step.after)
		set(step.serve)
		_, err := remote.Key(t.Context(), step.key)
		if (step.want == nil) != (err == nil) || (!errors.Is(step.want, errAny) && !errors.Is(err, step.want)) {
			t.Fatalf("%s: got %v, want %v", step.what, err, step.want)
		}
		if asked.Load() != step.asked {
			t.Fatalf("%s: asked %d times, want %d", step.what, asked.Load(), step.asked)
		}
	}
}

var errAny = errors.New("any")

func FuzzParseKeys(f *testing.F) {
	f.Add(jwks("a", "b"))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"","x":""}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := ticket.ParseKeys(data)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for id, key := range keys {
			if id == "" || len(key) != 32 {
				t.Fatalf("key %q of %d bytes", id, len(key))
			}
		}
	})
}
