package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rendergate/rendergate/server/auth"
)

// login is an operator's own login, with a key of each kind.
type login struct {
	now  time.Time
	keys map[string]crypto.Signer
	down bool
	url  string
}

func newLogin(t *testing.T) *login {
	t.Helper()
	l := &login{now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), keys: map[string]crypto.Signer{}}
	var err error
	if l.keys["rsa"], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	for id, curve := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		if l.keys[id], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	_, l.keys["ed"], _ = ed25519.GenerateKey(rand.Reader)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if l.down {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write(l.jwks())
	}))
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (l *login) jwks() []byte {
	keys := []map[string]string{
		{"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
		{"kty": "RSA", "kid": "for encryption", "use": "enc", "n": "AQAB", "e": "AQAB"},
	}
	for id, key := range l.keys {
		switch k := key.Public().(type) {
		case *rsa.PublicKey:
			keys = append(keys, map[string]string{"kty": "RSA", "kid": id, "alg": "RS256", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())})
		case *ecdsa.PublicKey:
			point, _ := k.Bytes()
			n := (len(point) - 1) / 2
			keys = append(keys, map[string]string{"kty": "EC", "crv": k.Curve.Params().Name, "kid": id, "x": b64(point[1 : 1+n]), "y": b64(point[1+n:])})
		case ed25519.PublicKey:
			keys = append(keys, map[string]string{"kty": "OKP", "crv": "Ed25519", "kid": id, "x": b64(k)})
		}
	}
	data, _ := json.Marshal(map[string]any{"keys": keys})
	return data
}

func (l *login) players(change func(*auth.PlayersOptions)) *auth.Players {
	o := auth.PlayersOptions{
		JWKSURL: l.url, Issuer: "https://login.example.com", Audience: "rendergate",
		Client: &http.Client{Timeout: 5 * time.Second}, Now: func() time.Time { return l.now },
	}
	change(&o)
	return auth.NewPlayers(o)
}

func (l *login) claims() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": "https://login.example.com", "aud": []string{"other", "rendergate"}, "sub": "user-1", "class": "vip",
		"iat": l.now.Unix(), "exp": l.now.Add(time.Hour).Unix(),
	}
}

func (l *login) sign(t *testing.T, kid string, method jwt.SigningMethod, c jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = kid
	text, err := token.SignedString(l.keys[kid])
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func as(*auth.PlayersOptions) {}

// swap gives the first token the second one's signature.
func swap(a, b string) string {
	return a[:strings.LastIndexByte(a, '.')] + b[strings.LastIndexByte(b, '.'):]
}

func TestPlayersOfEveryKeyKind(t *testing.T) {
	l := newLogin(t)
	p := l.players(as)
	for kid, method := range map[string]jwt.SigningMethod{
		"rsa": jwt.SigningMethodRS256, "p256": jwt.SigningMethodES256, "p384": jwt.SigningMethodES384, "p521": jwt.SigningMethodES512, "ed": jwt.SigningMethodEdDSA,
	} {
		got, err := p.Check(t.Context(), l.sign(t, kid, method, l.claims()))
		if err != nil || got != (auth.Player{Identity: "user-1", Class: "vip"}) {
			t.Errorf("%s: got %+v, %v", kid, got, err)
		}
	}
}

func TestPlayersRefused(t *testing.T) {
	l := newLogin(t)
	p := l.players(as)
	with := func(key string, value any) string {
		c := l.claims()
		c[key] = value
		if value == nil {
			delete(c, key)
		}
		return l.sign(t, "ed", jwt.SigningMethodEdDSA, c)
	}
	header := func(alg string) string { return b64([]byte(`{"alg":"` + alg + `","kid":"ed"}`)) }
	body, _ := json.Marshal(l.claims())
	none := header("none") + "." + b64(body) + "."
	hmac, _ := jwt.SigningMethodHS256.Sign(header("HS256")+"."+b64(body), []byte(l.keys["ed"].Public().(ed25519.PublicKey)))
	forged := *l
	forged.keys = map[string]crypto.Signer{}
	_, forged.keys["ed"], _ = ed25519.GenerateKey(rand.Reader)
	for name, token := range map[string]string{
		"no JWT": "hello", "too long": strings.Repeat("a", 5000),
		"alg none": none, "HS256 with the public key": header("HS256") + "." + b64(body) + "." + b64(hmac),
		"forged":                     forged.sign(t, "ed", jwt.SigningMethodEdDSA, l.claims()),
		"RS384, the key says RS256":  l.sign(t, "rsa", jwt.SigningMethodRS384, l.claims()),
		"expired":                    with("exp", l.now.Add(-time.Minute).Unix()),
		"no expiry":                  with("exp", nil),
		"of the future":              with("nbf", l.now.Add(time.Hour).Unix()),
		"issued in the future":       with("iat", l.now.Add(time.Hour).Unix()),
		"another issuer":             with("iss", "https://evil.example.com"),
		"no issuer":                  with("iss", nil),
		"another audience":           with("aud", "other"),
		"no audience":                with("aud", nil),
		"no subject":                 with("sub", nil),
		"an endless subject":         with("sub", strings.Repeat("x", 257)),
		"a class that is no text":    with("class", 5),
		"an endless class":           with("class", strings.Repeat("x", 257)),
		"signature of another token": swap(with("sub", "a"), with("sub", "b")),
	} {
		if got, err := p.Check(t.Context(), token); !errors.Is(err, auth.ErrIdentity) || got != (auth.Player{}) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestPlayersWithoutToken(t *testing.T) {
	l := newLogin(t)
	for _, c := range []struct {
		name   string
		change func(*auth.PlayersOptions)
		token  string
		want   error
	}{
		{"none needed", as, "", nil},
		{"needed", func(o *auth.PlayersOptions) { o.Required = true }, "", auth.ErrIdentityNeeded},
		{"no login is configured", func(o *auth.PlayersOptions) { o.JWKSURL = "" }, "whatever", nil},
	} {
		if got, err := l.players(c.change).Check(t.Context(), c.token); got != (auth.Player{}) || !errors.Is(err, c.want) {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
	}
}

func TestPlayersWhileTheLoginIsAway(t *testing.T) {
	l := newLogin(t)
	p := l.players(as)
	token := l.sign(t, "ed", jwt.SigningMethodEdDSA, l.claims())
	l.down = true
	if _, err := p.Check(t.Context(), token); !errors.Is(err, auth.ErrIdentity) || !strings.Contains(err.Error(), "502") {
		t.Fatalf("never reached: %v", err)
	}
	l.down = false
	l.now = l.now.Add(5 * time.Second)
	if _, err := p.Check(t.Context(), token); err != nil {
		t.Fatalf("reached: %v", err)
	}
	l.down = true
	l.now = l.now.Add(10 * time.Minute)
	if _, err := p.Check(t.Context(), token); err != nil {
		t.Fatalf("away later, with the keys known: %v", err)
	}
}

func TestPlayerKeysRefused(t *testing.T) {
	weak, _ := rsa.GenerateKey(rand.Reader, 1024)
	for name, text := range map[string]string{
		"no JSON": "x", "none": `{"keys":[]}`, "only symmetric": `{"keys":[{"kty":"oct","k":"x"}]}`,
		"off the curve":  `{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]}`,
		"too long":       `{"keys":[{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 100) + `","y":"AQ"}]}`,
		"no x":           `{"keys":[{"kty":"OKP","crv":"Ed25519"}]}`,
		"X25519":         `{"keys":[{"kty":"OKP","crv":"X25519","x":"AQ"}]}`,
		"another alg":    `{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"RS256","x":"` + b64(make([]byte, 32)) + `"}]}`,
		"weak RSA":       `{"keys":[{"kty":"RSA","n":"` + b64(weak.N.Bytes()) + `","e":"AQAB"}]}`,
		"RSA exponent 1": `{"keys":[{"kty":"RSA","n":"` + strings.Repeat("_", 350) + `","e":"AQ"}]}`,
		"huge exponent":  `{"keys":[{"kty":"RSA","n":"` + strings.Repeat("_", 350) + `","e":"AQABAQAB"}]}`,
		"too many":       `{"keys":[` + strings.Repeat(`{"kty":"oct"},`, 64) + `{"kty":"oct"}]}`,
	} {
		if n, err := auth.ParsePlayerKeys([]byte(text)); err == nil {
			t.Errorf("%s: got %d keys; want an error", name, n)
		}
	}
}

func FuzzPlayerKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, err := auth.ParsePlayerKeys(data); (err == nil) != (n > 0) {
			t.Fatalf("%d keys, %v", n, err)
		}
	})
}
