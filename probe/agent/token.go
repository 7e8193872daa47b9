package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// TokenVariable is the environment variable that may hold the host's token.
const TokenVariable = "RENDERGATE_HOST_TOKEN" // the name, not the token

const maxToken = 4096

// tokens are the host's: the one it was given, and the one of its own that it
// got for that, if that only enrols.
type tokens struct {
	file string // where its own is kept; empty: in memory alone
	log  *slog.Logger

	mu    sync.Mutex
	given string
	own   string
	spent bool // its own was refused: the given one is tried next
}

// loadTokens reads the token from the file, or without one takes the text.
func loadTokens(file, text string, log *slog.Logger) (*tokens, error) {
	t := &tokens{log: log}
	if file != "" {
		t.file = file + ".host"
		own, err := readToken(t.file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		t.own = own
		given, err := readToken(file)
		if err != nil && (t.own == "" || !errors.Is(err, fs.ErrNotExist)) {
			return nil, err
		}
		t.given = given
		return t, nil
	}
	given, err := checkToken(text)
	if err != nil {
		return nil, fmt.Errorf("no token: set token_file in the config, --token-file, or %s: %w", TokenVariable, err)
	}
	t.given = given
	return t, nil
}

func readToken(file string) (string, error) {
	raw, err := os.ReadFile(file) // the operator names it
	if err != nil {
		return "", fmt.Errorf("reading the host's token: %w", err)
	}
	token, err := checkToken(string(raw))
	if err != nil {
		return "", fmt.Errorf("the token in %s: %w", file, err)
	}
	return token, nil
}

// checkToken refuses what cannot stand in a header. The error does not show it.
func checkToken(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", errors.New("it is empty")
	case len(text) > maxToken:
		return "", fmt.Errorf("it has %d bytes, want at most %d", len(text), maxToken)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("it holds spaces or characters that are not ASCII")
	}
	return text, nil
}

// current is the token to present.
func (t *tokens) current() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.own != "" && (!t.spent || t.given == "") {
		return t.own
	}
	return t.given
}

// refused says that the current token was not taken: the other is tried next.
func (t *tokens) refused() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spent = !t.spent
}

// enrol keeps the host's own token, in a file that only its owner can read.
func (t *tokens) enrol(token string) error {
	token, err := checkToken(token)
	if err != nil {
		return fmt.Errorf("the server gave a token of the host's own: %w", err)
	}
	t.mu.Lock()
	t.own, t.spent = token, false
	t.mu.Unlock()
	if t.file == "" {
		t.log.Warn("this host has a token of its own now, but no token_file beside which to keep it: it enrols anew when it starts again")
		return nil
	}
	if err := writeSecret(t.file, token+"\n"); err != nil {
		return fmt.Errorf("keeping the host's own token: %w", err)
	}
	t.log.Info("this host has a token of its own now", "file", t.file)
	return nil
}

// writeSecret replaces a file at once, or not at all.
func writeSecret(file, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".token-*") // readable by its owner alone
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(text)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
