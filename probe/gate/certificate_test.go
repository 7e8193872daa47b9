package gate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestACertificateIsRenewed replaces the files while they are served: a new pair
// is taken at the next look, a broken one is not.
func TestACertificateIsRenewed(t *testing.T) {
	dir := t.TempDir()
	c := &certificate{cert: filepath.Join(dir, "cert"), key: filepath.Join(dir, "key"), log: slog.New(slog.DiscardHandler)}
	if err := c.load(); err == nil {
		t.Fatal("no files, no error")
	}
	writePair(t, c, 1)
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what   string
		change func()
		look   bool // the time to look has come
		want   int64
	}{
		{"as it was", func() {}, true, 1},
		{"renewed, not looked at yet", func() { writePair(t, c, 2) }, false, 1},
		{"renewed", func() {}, true, 2},
		{"broken", func() { writeFile(t, c.cert, []byte("junk"), 3) }, true, 2},
		{"mended", func() { writePair(t, c, 4) }, true, 4},
		{"gone", func() { _ = os.Remove(c.key) }, true, 4},
	} {
		step.change()
		if step.look {
			c.looked = time.Time{}
		} else {
			c.looked = time.Now()
		}
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil || parsed.SerialNumber.Int64() != step.want {
			t.Errorf("%s: serial %v, want %d, %v", step.what, parsed.SerialNumber, step.want, err)
		}
	}
}

// writePair writes a certificate with that serial and its key, changed at that
// second: a file system's clock may be too coarse to tell two writes apart.
func writePair(t *testing.T, c *certificate, serial int64) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, c.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), serial)
	writeFile(t, c.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), serial)
}

func writeFile(t *testing.T, file string, data []byte, second int64) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, time.Time{}, time.Unix(1e9+second, 0)); err != nil {
		t.Fatal(err)
	}
}
