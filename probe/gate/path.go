package gate

import (
	"net/url"
	"strings"

	"github.com/rendergate/rendergate/probe/launcher"
)

// place is a path taken apart: /s/{session}{rest}.
type place struct {
	session string
	rest    string // escaped, with its leading slash; "" if there is none
}

// splitPath takes an escaped path apart. It refuses what a browser never sends
// and what an application could read as leaving its own tree.
func splitPath(escaped string) (place, bool) {
	tail, ok := strings.CutPrefix(escaped, "/s/")
	if !ok || strings.ContainsFunc(escaped, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
		return place{}, false
	}
	session, rest, slash := strings.Cut(tail, "/")
	if !launcher.ValidSession(session) {
		return place{}, false
	}
	if !slash {
		return place{session: session}, true
	}
	for segment := range strings.SplitSeq(rest, "/") {
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "." || plain == ".." || strings.ContainsAny(plain, "\\\x00") {
			return place{}, false
		}
	}
	return place{session: session, rest: "/" + rest}, true
}

// prefix is the session's own tree, without a slash at its end.
func (p place) prefix() string { return "/s/" + p.session }

// clean is the place with a query, as an address on this gate.
func (p place) clean(query string) string {
	to := p.prefix() + "/" + strings.TrimPrefix(p.rest, "/")
	if query != "" {
		to += "?" + query
	}
	return to
}

// cutTicket takes the ticket out of a query and leaves the rest as it was. Of
// several tickets the first counts, and all are taken out.
func cutTicket(query string) (token, rest string, given bool) {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err != nil || plain != "ticket" {
			kept = append(kept, pair)
			continue
		}
		if !given {
			given = true
			token, _ = url.QueryUnescape(value) // what cannot be read is no ticket
		}
	}
	return token, strings.Join(kept, "&"), given
}
