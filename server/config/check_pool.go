package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire/quantity"
	"github.com/rendergate/rendergate/server/auth"
)

func (c checker) pools() {
	if len(c.Pools) == 0 {
		c.d.Reject("pools", "want one pool or more; leave the key out for one pool named %q", DefaultPool)
	}
	for _, name := range c.PoolNames() {
		c.pool("pools."+name, name, c.Pools[name])
	}
}

func (c checker) pool(key, name string, p Pool) {
	if !validPool(name) {
		c.d.Reject(key, `want 1 to 32 lower-case letters, digits or "-" as the name of a pool, got %q`, name)
	}
	if p.Apps != nil && len(p.Apps) == 0 {
		c.d.Reject(key+".apps", "want one app or more; leave the key out for one named as the pool")
	}
	for app := range p.Apps {
		if !auth.ValidName(app) {
			c.d.Reject(key+".apps."+app, `want 1 to 64 letters, digits, ".", "_" or "-" as the name of an app, got %q`, app)
		}
	}
	c.threshold(key+".threshold.", p.Threshold)
	c.session(key+".session.", p.Session)
	c.spectators(key+".spectators.", p.Spectators)
	c.queue(key+".queue.", p.Queue)
	c.word(key+".placement.order", p.Placement.Order, string(admission.Spread), string(admission.Pack))
	c.count(key+".placement.max_starting", p.Placement.MaxStarting, 1)
	c.atLeast(key+".placement.host_lost", p.Placement.HostLost, 5*time.Second)
	c.uplink(key+".uplink.", p)
}

// validPool keeps to what can stand in a path, a stream's name and a metric.
func validPool(name string) bool {
	outside := func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	return len(name) >= 1 && len(name) <= 32 && !strings.ContainsFunc(name, outside)
}

func (c checker) threshold(key string, t Threshold) {
	for _, x := range []struct {
		name  string
		share quantity.Share
	}{{"cpu", t.CPU}, {"gpu", t.GPU}, {"vram", t.VRAM}, {"encoder", t.Encoder}, {"memory", t.Memory}} {
		if !(x.share > 0 && x.share <= 1) {
			c.d.Reject(key+x.name, `want above 0 and at most 100%%, such as "85%%", got %q`, x.share)
		}
	}
	if !(t.Over > 0 && t.Over <= admission.MostOver) {
		c.d.Reject(key+"over", `want a share of time above 0 and at most 50%%, such as "1%%", got %q`, t.Over)
	}
}

func (c checker) session(key string, s Session) {
	c.positive(key+"bitrate", s.Bitrate)
	c.word(key+"sharing", s.Sharing, string(admission.SharingOpen), string(admission.SharingAsk), string(admission.SharingClosed))
}

func (c checker) spectators(key string, s Spectators) {
	c.count(key+"max_per_session", s.MaxPerSession, 0)
	c.positive(key+"bitrate", s.Bitrate)
	c.positive(key+"low_bitrate", s.LowBitrate)
	if s.LowBitrate > s.Bitrate {
		c.d.Reject(c.either(key+"low_bitrate", key+"bitrate"), "low_bitrate is %s and bitrate %s: spectators step down to the low one, so want at most the other", s.LowBitrate, s.Bitrate)
	}
}

// either is the key that the file sets, the first if it sets both or none.
func (c checker) either(first, second string) string {
	if !c.d.Has(first) && c.d.Has(second) {
		return second
	}
	return first
}

func (c checker) queue(key string, q Queue) {
	c.count(key+"max_length", q.MaxLength, 0)
	c.atLeast(key+"offer_timeout", q.OfferTimeout, time.Second)
	c.word(key+"on_lapse", q.OnLapse, string(admission.LapseNext), string(admission.LapseLeave))
	c.count(key+"max_lapses", q.MaxLapses, 1)
	if len(q.Classes) == 0 {
		c.d.Reject(key+"classes", "want one class or more, the first goes first and the last is the default")
	}
	seen := map[string]bool{}
	for i, class := range q.Classes {
		c.name(fmt.Sprintf("%sclasses[%d]", key, i), class, seen)
	}
}

func (c checker) uplink(key string, p Pool) {
	c.word(key+"when_full", p.Uplink.WhenFull, string(admission.FullWait), string(admission.FullDegrade), string(admission.FullAllow))
	if b := p.Uplink.Budget; b > 0 && b < p.Session.Bitrate && p.Uplink.WhenFull != string(admission.FullAllow) {
		c.d.Reject(key+"budget", "%s carries not even one session of %s: nobody could ever play; want as much or more, or 0 for no budget", b, p.Session.Bitrate)
	}
}
