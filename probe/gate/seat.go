package gate

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// maxPast is how many displaced players a session remembers, to tell them why
// they are refused.
const maxPast = 16

// seat is one session behind the gate.
type seat struct {
	session  string
	presence *presence

	mu        sync.Mutex
	proxy     *httputil.ReverseProxy
	transport *http.Transport
	grant     *grant // who may come in; nil before the first ticket
	past      [][sha256.Size]byte
	sockets   int
	requests  int
	closed    bool
}

// grant is what one ticket has opened: a cookie, and all connections made with
// it until a newer ticket displaces them.
type grant struct {
	client string
	cookie [sha256.Size]byte // its hash: what is in memory opens nothing
	ctx    context.Context   // its end cuts the connections
	cancel context.CancelFunc
}

func newSeat(session string, tell func(bool)) *seat {
	return &seat{session: session, presence: newPresence(tell)}
}

// forward sets where the session's application is.
func (s *seat) forward(upstream *url.URL, g *Gate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.transport
	s.transport = newTransport()
	s.proxy = newProxy(s.session, upstream, s.transport, g)
	if old != nil {
		old.CloseIdleConnections()
	}
}

// admit makes a grant for a ticket's client and displaces the one before. It
// returns the cookie's value; "" if the session has ended meanwhile.
func (s *seat) admit(client string) (*grant, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ""
	}
	if old := s.grant; old != nil {
		old.cancel()
		s.past = append(s.past, old.cookie)
		s.past = s.past[max(0, len(s.past)-maxPast):]
	}
	secret := rand.Text()
	ctx, cancel := context.WithCancel(context.Background())
	s.grant = &grant{client: client, cookie: sha256.Sum256([]byte(secret)), ctx: ctx, cancel: cancel}
	return s.grant, secret
}

// standing is what a cookie says of who brings it.
type standing int

const (
	stranger  standing = iota
	displaced          // a newer connection has the session
	player
)

// known finds the grant of a request's cookies.
func (s *seat) known(r *http.Request) (*grant, standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := stranger
	for _, c := range r.CookiesNamed(cookieName) {
		hash := sha256.Sum256([]byte(c.Value))
		if s.grant != nil && same(hash, s.grant.cookie) {
			return s.grant, player
		}
		for _, old := range s.past {
			if same(hash, old) {
				found = displaced
			}
		}
	}
	return nil, found
}

func same(a, b [sha256.Size]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }

// enter counts a request of a session, unless it has too many. Socket says that
// it asks for a WebSocket.
func (s *seat) enter(socket bool) (leave func(), proxy *httputil.ReverseProxy, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count, most := &s.requests, maxRequests
	if socket {
		count, most = &s.sockets, maxSockets
	}
	if *count >= most || s.closed {
		return nil, nil, false
	}
	*count++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		*count--
	}, s.proxy, true
}

// close cuts everybody off.
func (s *seat) close() {
	s.presence.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.grant != nil {
		s.grant.cancel()
	}
	if s.transport != nil {
		s.transport.CloseIdleConnections()
	}
}
