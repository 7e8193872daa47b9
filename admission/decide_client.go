package admission

import (
	"slices"
	"sort"
	"strings"
)

// join resumes what the client has, or gives it a place. Whoever can be seated
// at once is, by the steps that follow.
func (d *draft) join(j Join) {
	if j.Intent != Play && j.Intent != View {
		d.refuse(RefusedInvalid, "intent is %q; it can be %q or %q", j.Intent, Play, View)
		return
	}
	c, ok := d.find(j)
	switch {
	case !ok:
	case c != nil:
		d.resume(c, j)
	default:
		d.newcomer(j)
	}
}

// find looks for the client that the join resumes: by its secret, else by its
// identity. It refuses a secret that is somebody else's.
func (d *draft) find(j Join) (c *client, ok bool) {
	if c := d.p.secrets[j.Resume]; c != nil && j.Resume != "" {
		if c.identity != "" && j.Identity != "" && c.identity != j.Identity {
			d.refuse(RefusedIdentity, "the resume secret belongs to another identity")
			return nil, false
		}
		return c, true
	}
	if j.Identity == "" {
		return nil, true
	}
	return d.p.identities[j.Identity], true
}

// resume brings a client back. One that only looks on may ask to play now.
func (d *draft) resume(c *client, j Join) {
	d.out.Client, d.out.Resumed = c.id, true
	secret := ""
	if j.Resume == "" || d.p.secrets[j.Resume] != c {
		secret = j.Secret
	}
	d.add(Resumed{Client: c.id, Secret: secret})
	onlyWatches := c.session == nil && (c.entry == nil || c.entry.intent == View)
	if j.Intent != Play || !onlyWatches {
		return
	}
	a, ok := d.appFor(j.App)
	if !ok || d.full(a, Play) {
		return
	}
	class, ok := d.classFor(j.Class)
	if !ok {
		return
	}
	if j.Class == "" && slices.Contains(d.p.policy.Queue.Classes, c.class) {
		class = c.class
	}
	key := d.tailKey()
	d.add(Enqueued{
		Entry: d.entryID(), Client: c.id, Secret: cmpOr(secret, c.secret), Identity: c.identity, Class: class, App: a.name,
		Intent: Play, WatchWhileWaiting: j.WatchWhileWaiting, Key: key, Known: true, Wait: d.quote(a, class, key),
	})
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (d *draft) newcomer(j Join) {
	if j.Client == "" || d.p.clients[j.Client] != nil {
		d.refuse(RefusedInvalid, "client id %q is empty or taken", j.Client)
		return
	}
	if j.Secret != "" && d.p.secrets[j.Secret] != nil {
		d.refuse(RefusedInvalid, "the resume secret is taken")
		return
	}
	a, ok := d.appFor(j.App)
	if !ok {
		return
	}
	class, ok := d.classFor(j.Class)
	if !ok || d.full(a, j.Intent) || (j.Intent == View && j.Session != "" && d.unwatchable(j.Session)) {
		return
	}
	d.out.Client = j.Client
	e := Enqueued{
		Entry: d.entryID(), Client: j.Client, Secret: j.Secret, Identity: j.Identity, Class: class, App: a.name,
		Intent: j.Intent, WatchWhileWaiting: j.WatchWhileWaiting && j.Intent == Play, Key: d.tailKey(),
	}
	if j.Intent == View {
		e.Session = j.Session
	} else {
		e.Wait = d.quote(a, class, e.Key)
	}
	d.add(e)
}

// appFor finds the app that is asked for; none named means the only one.
func (d *draft) appFor(name string) (*app, bool) {
	apps := d.p.policy.Apps
	if _, ok := apps[name]; ok {
		return d.p.apps[name], true
	}
	names := make([]string, 0, len(apps))
	for n := range apps {
		names = append(names, n)
	}
	sort.Strings(names)
	switch {
	case name == "" && len(names) == 1:
		return d.p.apps[names[0]], true
	case name == "":
		d.refuse(RefusedUnknownApp, "this pool serves several apps; name one of %s", strings.Join(names, ", "))
	case len(names) == 0:
		d.refuse(RefusedUnknownApp, "this pool serves no app")
	default:
		d.refuse(RefusedUnknownApp, "there is no app %q; there is %s", name, strings.Join(names, ", "))
	}
	return nil, false
}

func (d *draft) classFor(name string) (string, bool) {
	classes := d.p.policy.Queue.Classes
	switch {
	case name == "" && len(classes) == 0:
		return "", true
	case name == "":
		return classes[len(classes)-1], true
	case slices.Contains(classes, name):
		return name, true
	}
	d.refuse(RefusedUnknownClass, "there is no class %q; there is %s", name, strings.Join(classes, ", "))
	return "", false
}

// full refuses a place where the queue has its longest.
func (d *draft) full(a *app, i Intent) bool {
	n, limit := d.p.waiting(i), d.p.policy.Queue.MaxLength
	if limit <= 0 || n < limit {
		return false
	}
	d.refuse(RefusedQueueFull, "%d wait already, and the queue takes %d", n, limit)
	d.out.Refused.RetryAfterS = 30
	if i == Play {
		d.out.Refused.Blocked = d.p.playBlock(d.now, a)
	} else {
		d.out.Refused.Blocked = d.p.viewBlock(a)
	}
	return true
}

// waiting counts the entries in all queues of an intent.
func (p *Pool) waiting(i Intent) int {
	n := 0
	for _, a := range p.appOrder {
		n += a.queue(i).len()
	}
	return n
}

// accept takes an offer while its clock runs.
func (d *draft) accept(c Accept) {
	if s := d.offered(c.Client, c.Offer); s != nil {
		d.add(OfferAccepted{Offer: s.offer, Entry: s.entry.id, Client: s.client.id, Session: s.id})
	}
}

// decline gives it up, which counts as a lapse.
func (d *draft) decline(c Decline) {
	if s := d.offered(c.Client, c.Offer); s != nil {
		d.lapse(s, WhyDeclined)
	}
}

func (d *draft) offered(id, offer string) *session {
	c := d.p.clients[id]
	if c == nil || c.entry == nil || c.entry.offer == nil || c.entry.offer.offer != offer || offer == "" {
		d.refuse(RefusedUnknownOffer, "there is no offer %q to this client; it may have lapsed", offer)
		return nil
	}
	if s := c.entry.offer; d.now < s.until {
		return s
	}
	d.refuse(RefusedUnknownOffer, "offer %q lapsed at %s", offer, c.entry.offer.until.time().Format("15:04:05"))
	return nil
}

// leave gives up everything.
func (d *draft) leave(l Leave) {
	c := d.client(l.Client)
	if c == nil {
		return
	}
	if c.view != nil {
		d.endView(c.view, WhyLeft)
	}
	if c.entry != nil {
		d.add(EntryLeft{Entry: c.entry.id, Client: c.id, Reason: WhyLeft})
	}
	if c.session != nil {
		d.end(c.session, ending{why: WhyLeft})
	}
}

func (d *draft) client(id string) *client {
	c := d.p.clients[id]
	if c == nil {
		d.refuse(RefusedUnknownClient, "there is no client %q", id)
	}
	return c
}

func (d *draft) disconnect(c Disconnect) {
	if cl := d.client(c.Client); cl != nil && cl.connected {
		d.add(Disconnected(c))
	}
}

// setSharing says who may look on at the client's own session.
func (d *draft) setSharing(c SetSharing) {
	s := d.p.sessions[c.Session]
	switch {
	case s == nil || s.client == nil || s.client.id != c.Client || s.client.session != s:
		d.refuse(RefusedUnknownSession, "this client does not play session %q", c.Session)
	case !c.Mode.valid():
		d.refuse(RefusedInvalid, "sharing is %q; it can be %q, %q or %q", c.Mode, SharingOpen, SharingAsk, SharingClosed)
	case s.grant.Sharing != c.Mode:
		d.add(SharingSet{Session: s.id, Client: c.Client, Mode: c.Mode})
		if c.Mode != SharingOpen {
			d.endViews(s, WhyNotShared)
		}
	}
}

func (s Sharing) valid() bool { return s == SharingOpen || s == SharingAsk || s == SharingClosed }
