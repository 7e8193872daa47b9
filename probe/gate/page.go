package gate

import (
	"fmt"
	"html"
	"net/http"
	"strings"
)

// refusal is why somebody does not get in: a status and what to do.
type refusal struct {
	status int
	title  string
	text   string
}

// What the gate says to those it does not let through. None of it tells more
// than the reader knew.
var (
	refusalTicket = refusal{http.StatusUnauthorized, "A fresh ticket is needed",
		"This address opens only once, and only for a short time. Go back to the page that brought you here and open the session from there again."}
	refusalTaken = refusal{http.StatusConflict, "The session was taken over",
		"It has been opened in another window, or has ended. Use that window, or go back to the page that brought you here to take it back."}
	refusalUnknown = refusal{http.StatusNotFound, "There is no such session here",
		"It may have ended. Go back to the page that brought you here."}
	refusalPath = refusal{http.StatusNotFound, "There is nothing here",
		"Sessions are opened from the page of the service, not by their address."}
	refusalOrigin = refusal{http.StatusForbidden, "Refused",
		"The request came from a page of another site."}
	refusalMethod = refusal{http.StatusMethodNotAllowed, "Refused",
		"A ticket is used with GET alone."}
	refusalPrefetch = refusal{http.StatusServiceUnavailable, "Not ahead of time",
		"A ticket opens once: the page is not loaded ahead of its use."}
	refusalBusy = refusal{http.StatusTooManyRequests, "Too much at once",
		"The session has as many connections as it may have. Close some, or wait a moment."}
	refusalBody = refusal{http.StatusRequestEntityTooLarge, "Too large",
		fmt.Sprintf("A request may carry at most %d MiB.", maxBodyBytes>>20)}
	refusalApplication = refusal{http.StatusBadGateway, "The application does not answer",
		"It may have ended, or be starting again. Go back to the page that brought you here; it shows what is going on."}
	refusalNotReady = refusal{http.StatusServiceUnavailable, "Not ready yet",
		"This host has not reached its service since it started. Try again in a few seconds."}
	refusalClosing = refusal{http.StatusServiceUnavailable, "This host is stopping",
		"Go back to the page that brought you here."}
)

const pageText = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
	`<title>%[1]s</title><style>:root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;` +
	`margin:15vh auto;padding:0 1rem}h1{font-size:1.4rem}</style><h1>%[1]s</h1><p>%[2]s</p></html>` + "\n"

// head sets what every answer of the gate's own bears. Applications' answers get
// theirs in sanitize.
func (g *Gate) head(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Referrer-Policy", "no-referrer") // a ticket stands in the first page's address
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; "+*g.embed.Load())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

// refuse answers with a small page, or a line of text to what is no browser.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, no refusal) {
	g.head(w)
	h := w.Header()
	if no.status == http.StatusServiceUnavailable || no.status == http.StatusBadGateway {
		h.Set("Retry-After", "3")
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(no.status)
		_, _ = fmt.Fprintf(w, pageText, html.EscapeString(no.title), html.EscapeString(no.text)) // the client's loss
		return
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(no.status)
	_, _ = fmt.Fprintf(w, "%s. %s\n", no.title, no.text) // the client's loss
}
