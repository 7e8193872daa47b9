package gate

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"
)

// newTransport is one session's connections to its application. No proxy of the
// environment stands between the two.
func newTransport() *http.Transport {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &http.Transport{
		DialContext: dialer.DialContext, ResponseHeaderTimeout: answerTimeout, MaxResponseHeaderBytes: 256 << 10,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
	}
}

// newProxy forwards a session's requests to its application, as if that lived
// at the gate's address under the session's prefix.
func newProxy(session string, upstream *url.URL, transport *http.Transport, g *Gate) *httputil.ReverseProxy {
	at := place{session: session}
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { rewrite(r, upstream, at.prefix()) },
		Transport:     transport,
		FlushInterval: -1, // frames are worth nothing later
		ModifyResponse: func(res *http.Response) error {
			sanitize(res, back{upstream: upstream, prefix: at.prefix(), policy: *g.embed.Load()})
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			g.failed(w, r, session, err)
		},
		ErrorLog: nil,
	}
}

// failed answers for an application that did not.
func (g *Gate) failed(w http.ResponseWriter, r *http.Request, session string, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, context.Canceled):
		g.refuse(w, r, refusalTaken) // or the client has gone and nobody reads this
	case errors.As(err, &tooLarge):
		g.refuse(w, r, refusalBody)
	default:
		g.o.Log.Warn("the application does not answer", "session", session, "err", err)
		g.refuse(w, r, refusalApplication)
	}
}

// rewrite makes a browser's request the application's.
func rewrite(r *httputil.ProxyRequest, upstream *url.URL, prefix string) {
	out := r.Out.URL
	out.RawPath = strings.TrimPrefix(r.In.URL.EscapedPath(), prefix)
	out.Path = strings.TrimPrefix(r.In.URL.Path, prefix)
	r.SetURL(upstream)
	r.Out.Host = r.In.Host // so that its own checks of the Origin hold
	r.SetXForwarded()
	h := r.Out.Header
	h.Set("X-Forwarded-Prefix", prefix)
	stripCookies(h)
	h.Del("X-Real-Ip")
	if strings.Contains(h.Get("Referer"), "ticket=") {
		h.Del("Referer")
	}
}

// back is what an application's answer is fitted to.
type back struct {
	upstream *url.URL
	prefix   string
	policy   string // frame-ancestors
}

// sanitize keeps an application's answer to its own session.
func sanitize(res *http.Response, b back) {
	h := res.Header
	for _, name := range []string{"Location", "Content-Location", "Refresh"} {
		if v := h.Get(name); v != "" {
			h.Set(name, b.address(name, v, res.Request.Host))
		}
	}
	scopeCookies(h, b.prefix)
	policies := withoutAncestors(h.Values("Content-Security-Policy"))
	h.Del("Content-Security-Policy")
	for _, p := range append(policies, b.policy) {
		h.Add("Content-Security-Policy", p)
	}
	// Who may embed the session is the gate's to say; a worker or a header that
	// reached beyond its path would reach other sessions.
	for _, name := range []string{"X-Frame-Options", "Referrer-Policy", "Service-Worker-Allowed", "Clear-Site-Data", "Alt-Svc"} {
		h.Del(name)
	}
	h.Set("Referrer-Policy", "no-referrer")
}

// address puts an address that the application gave under the session's prefix.
func (b back) address(header, v, host string) string {
	if header == "Refresh" {
		wait, to, ok := strings.Cut(v, "=")
		if !ok {
			return v
		}
		return wait + "=" + b.address("", strings.Trim(to, ` '"`), host)
	}
	u, err := url.Parse(v)
	if err != nil {
		return b.prefix + "/"
	}
	if u.Host != "" {
		if !b.own(u.Host, host) {
			return v
		}
		u.Scheme, u.Host, u.User = "", "", nil
		if u.Path == "" {
			u.Path = "/"
		}
	}
	if strings.HasPrefix(u.Path, "/") {
		escaped := scope(u.EscapedPath(), b.prefix)
		u.Path, u.RawPath = scope(u.Path, b.prefix), escaped
	}
	return u.String()
}

// own says whether an address's host is the application, by any name it may
// know for itself.
func (b back) own(host, asked string) bool {
	return slices.Contains([]string{b.upstream.Host, asked, "localhost:" + b.upstream.Port(), "127.0.0.1:" + b.upstream.Port()}, host)
}

// withoutAncestors takes frame-ancestors out of an application's policies.
func withoutAncestors(policies []string) []string {
	var kept []string
	for _, header := range policies {
		for policy := range strings.SplitSeq(header, ",") {
			var directives []string
			for d := range strings.SplitSeq(policy, ";") {
				name, _, _ := strings.Cut(strings.TrimSpace(d), " ")
				if name != "" && !strings.EqualFold(name, "frame-ancestors") {
					directives = append(directives, strings.TrimSpace(d))
				}
			}
			if len(directives) > 0 {
				kept = append(kept, strings.Join(directives, "; "))
			}
		}
	}
	return kept
}

// framePolicy says who may embed the gate's pages.
func framePolicy(lists ...[]string) string {
	all := []string{"'self'"}
	for _, origin := range slices.Concat(lists...) {
		if ValidOrigin(origin) && !slices.Contains(all, origin) {
			all = append(all, origin)
		}
	}
	return "frame-ancestors " + strings.Join(all, " ")
}

// ValidOrigin says whether the text is an origin, such as
// https://gate.example.com, and nothing else.
func ValidOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && text == u.Scheme+"://"+u.Host &&
		!strings.ContainsAny(text, " ;,'\"\t\r\n") && u.User == nil
}
