package keyset_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/wire/keyset"
)

// serve gives a set of the keys that the handler names, with a clock that stands.
func serve(t *testing.T, handler http.HandlerFunc) *keyset.Set[string] {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return keyset.New(keyset.Options[string]{
		URL: server.URL, Client: server.Client(), Now: func() time.Time { return time.Unix(1e9, 0) },
		Parse: func(data []byte) (map[string]string, error) {
			if len(data) == 0 {
				return nil, errors.New("nothing there")
			}
			return map[string]string{string(data): "its key"}, nil
		},
	})
}

func TestKey(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a")) })
	if key, err := s.Key(t.Context(), "a"); err != nil || key != "its key" {
		t.Fatalf("got %q, %v", key, err)
	}
	if _, err := s.Key(t.Context(), "b"); !errors.Is(err, keyset.ErrUnknown) {
		t.Fatalf("got %v", err)
	}
}

// TestCallerHangsUp checks that somebody who asks and leaves at once does not
// keep the keys from the others until the next try.
func TestCallerHangsUp(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a")) })
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = s.Key(gone, "forged")
	if _, err := s.Key(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
}

func TestBadAnswers(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"nothing":  func(http.ResponseWriter, *http.Request) {},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat("x", keyset.MaxBytes+1)))
		},
	} {
		if _, err := serve(t, handler).Key(t.Context(), "a"); err == nil || errors.Is(err, keyset.ErrUnknown) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
