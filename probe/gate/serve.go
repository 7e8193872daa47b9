package gate

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rendergate/rendergate/probe/wire/ticket"
)

// ServeHTTP answers /healthz and everything under /s/{session}/.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.begin() {
		g.refuse(w, r, refusalClosing)
		return
	}
	defer g.active.Done()
	if r.URL.Path == "/healthz" {
		g.health(w)
		return
	}
	at, ok := splitPath(r.URL.EscapedPath())
	if !ok {
		g.refuse(w, r, refusalPath)
		return
	}
	s := g.seat(at.session)
	if s == nil {
		g.refuse(w, r, refusalUnknown)
		return
	}
	g.serve(w, r, s)
}

// health tells that the gate serves, and no more than how many sessions.
func (g *Gate) health(w http.ResponseWriter) {
	g.mu.Lock()
	n := len(g.seats)
	g.mu.Unlock()
	g.head(w)
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"status":"ok","sessions":%d}`+"\n", n) // the client's loss
}

// serve lets a request through to a session's application, or says why not.
func (g *Gate) serve(w http.ResponseWriter, r *http.Request, s *seat) {
	at, _ := splitPath(r.URL.EscapedPath())
	token, query, given := cutTicket(r.URL.RawQuery)
	r.URL.RawQuery = query // from here on nobody sees the ticket
	socket := isSocket(r)
	var who *grant
	if given {
		grant, cookie, no := g.redeem(r, s, token)
		if no != nil {
			g.refuse(w, r, *no)
			return
		}
		http.SetCookie(w, g.cookie(at, cookie))
		if !socket {
			g.redirect(w, at.clean(query), http.StatusSeeOther)
			return
		}
		who = grant
	} else {
		grant, standing := s.known(r)
		if no := g.judge(r, standing); no != nil {
			g.refuse(w, r, *no)
			return
		}
		who = grant
	}
	if at.rest == "" {
		g.redirect(w, at.clean(query), http.StatusPermanentRedirect)
		return
	}
	g.pass(w, r, s, who)
}

// judge decides on one who brings a cookie, or nothing.
func (g *Gate) judge(r *http.Request, standing standing) *refusal {
	switch {
	case standing == stranger:
		return &refusalTicket
	case standing == displaced:
		return &refusalTaken
	case !g.sameOrigin(r):
		// The cookie comes along from any page in the player's browser: what
		// acts must come from the session's own.
		return &refusalOrigin
	}
	return nil
}

// redeem uses a ticket up and gives who brought it the session.
func (g *Gate) redeem(r *http.Request, s *seat, token string) (*grant, string, *refusal) {
	trust := g.trust.Load()
	switch {
	case trust == nil:
		return nil, "", &refusalNotReady
	case r.Method != http.MethodGet:
		return nil, "", &refusalMethod
	case r.Header.Get("Sec-Purpose") != "" || r.Header.Get("Purpose") != "":
		return nil, "", &refusalPrefetch // a ticket opens once: not for a look ahead
	}
	claims, err := (*trust).Verify(r.Context(), token, ticket.Want{Session: s.session, Role: ticket.Player})
	if err != nil {
		g.o.Log.Info("ticket refused", "session", s.session, "from", r.RemoteAddr, "why", err)
		return nil, "", &refusalTicket
	}
	grant, cookie := s.admit(claims.Client)
	if grant == nil {
		return nil, "", &refusalUnknown
	}
	g.o.Log.Info("player admitted", "session", s.session, "client", claims.Client)
	return grant, cookie, nil
}

// sameOrigin says whether what acts on the session, a socket or a request that
// is not plain reading, comes from a page of the gate.
func (g *Gate) sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || !isSocket(r) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && (strings.EqualFold(u.Host, r.Host) ||
		strings.EqualFold(u.Host, g.o.PublicURL.Host) && u.Scheme == g.o.PublicURL.Scheme)
}

// pass hands a request to the session's application until either ends, or a
// newer connection takes the session over.
func (g *Gate) pass(w http.ResponseWriter, r *http.Request, s *seat, who *grant) {
	socket := isSocket(r)
	if !socket && r.Header.Get("Upgrade") != "" {
		r.Header.Del("Upgrade") // no other protocol is let through; the request may go on without
	}
	leave, proxy, ok := s.enter(socket)
	if !ok {
		g.refuse(w, r, refusalBusy)
		return
	}
	defer leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(who.ctx, cancel)()
	if who.ctx.Err() != nil {
		g.refuse(w, r, refusalTaken)
		return
	}
	if socket {
		w = &socketWriter{ResponseWriter: w, presence: s.presence, cut: who.ctx}
	} else {
		defer s.presence.request()()
		limitBody(w, r)
	}
	proxy.ServeHTTP(w, r.WithContext(ctx))
}

// redirect answers with nothing but another address on this gate.
func (g *Gate) redirect(w http.ResponseWriter, to string, status int) {
	g.head(w)
	w.Header().Set("Location", to)
	w.WriteHeader(status)
}

// isSocket says whether the request asks for a WebSocket.
func isSocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && hasToken(r.Header.Values("Connection"), "upgrade")
}

func hasToken(values []string, want string) bool {
	for _, v := range values {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), want) {
				return true
			}
		}
	}
	return false
}
