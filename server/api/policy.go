package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rendergate/rendergate/admission"
)

// policyItem is the policy as HTTP has it: durations in seconds.
type policyItem struct {
	Threshold admission.Threshold    `json:"threshold"`
	Uplink    admission.UplinkPolicy `json:"uplink"`
	Session   struct {
		BitrateBps           float64           `json:"bitrate_bps"`
		MaxLengthS           float64           `json:"max_length_s"`
		IdleTimeoutS         float64           `json:"idle_timeout_s"`
		FirstConnectTimeoutS float64           `json:"first_connect_timeout_s"`
		ReconnectGraceS      float64           `json:"reconnect_grace_s"`
		Sharing              admission.Sharing `json:"sharing"`
	} `json:"session"`
	Spectators struct {
		MaxPerSession   int     `json:"max_per_session"`
		BitrateBps      float64 `json:"bitrate_bps"`
		LowBitrateBps   float64 `json:"low_bitrate_bps"`
		YieldToPlayers  bool    `json:"yield_to_players"`
		ReconnectGraceS float64 `json:"reconnect_grace_s"`
	} `json:"spectators"`
	Queue struct {
		MaxLength       int               `json:"max_length"`
		OfferTimeoutS   float64           `json:"offer_timeout_s"`
		OnLapse         admission.OnLapse `json:"on_lapse"`
		MaxLapses       int               `json:"max_lapses"`
		ReconnectGraceS float64           `json:"reconnect_grace_s"`
		Classes         []string          `json:"classes"`
	} `json:"queue"`
	Placement struct {
		Order       admission.Order `json:"order"`
		MaxStarting int             `json:"max_starting"`
		HostLostS   float64         `json:"host_lost_s"`
	} `json:"placement"`
}

func policyOf(p admission.Policy) policyItem {
	var i policyItem
	i.Threshold, i.Uplink = p.Threshold, p.Uplink
	i.Threshold.Over = cmp.Or(p.Threshold.Over, admission.DefaultOver) // policies of before do not say
	s := &i.Session
	s.BitrateBps, s.Sharing = p.Session.BitrateBps, p.Session.Sharing
	s.MaxLengthS, s.IdleTimeoutS = p.Session.MaxLength.Seconds(), p.Session.IdleTimeout.Seconds()
	s.FirstConnectTimeoutS, s.ReconnectGraceS = p.Session.FirstConnectTimeout.Seconds(), p.Session.ReconnectGrace.Seconds()
	v := &i.Spectators
	v.MaxPerSession, v.BitrateBps, v.LowBitrateBps = p.Spectators.MaxPerSession, p.Spectators.BitrateBps, p.Spectators.LowBitrateBps
	v.YieldToPlayers, v.ReconnectGraceS = p.Spectators.YieldToPlayers, p.Spectators.ReconnectGrace.Seconds()
	q := &i.Queue
	q.MaxLength, q.OfferTimeoutS, q.OnLapse = p.Queue.MaxLength, p.Queue.OfferTimeout.Seconds(), p.Queue.OnLapse
	q.MaxLapses, q.ReconnectGraceS, q.Classes = p.Queue.MaxLapses, p.Queue.ReconnectGrace.Seconds(), p.Queue.Classes
	i.Placement.Order, i.Placement.MaxStarting = p.Placement.Order, p.Placement.MaxStarting
	i.Placement.HostLostS = p.Placement.HostLost.Seconds()
	return i
}

// apply writes the item over the policy; apps and classes stay as configured.
func (i policyItem) apply(p admission.Policy) admission.Policy {
	p.Threshold, p.Uplink = i.Threshold, i.Uplink
	s := i.Session
	p.Session = admission.SessionPolicy{
		BitrateBps: s.BitrateBps, MaxLength: seconds(s.MaxLengthS), IdleTimeout: seconds(s.IdleTimeoutS),
		FirstConnectTimeout: seconds(s.FirstConnectTimeoutS), ReconnectGrace: seconds(s.ReconnectGraceS), Sharing: s.Sharing,
	}
	v := i.Spectators
	p.Spectators = admission.SpectatorPolicy{
		MaxPerSession: v.MaxPerSession, BitrateBps: v.BitrateBps, LowBitrateBps: v.LowBitrateBps,
		YieldToPlayers: v.YieldToPlayers, ReconnectGrace: seconds(v.ReconnectGraceS),
	}
	q := i.Queue
	p.Queue = admission.QueuePolicy{
		MaxLength: q.MaxLength, OfferTimeout: seconds(q.OfferTimeoutS), OnLapse: q.OnLapse,
		MaxLapses: q.MaxLapses, ReconnectGrace: seconds(q.ReconnectGraceS), Classes: p.Queue.Classes,
	}
	p.Placement = admission.PlacementPolicy{
		Order: i.Placement.Order, MaxStarting: i.Placement.MaxStarting, HostLost: seconds(i.Placement.HostLostS),
	}
	return p
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// The most that a policy may name.
const (
	mostAmount  = 1e13
	mostSeconds = 87600 * 3600.0 // ten years, as the core has it
)

// check says which value cannot be.
func (i policyItem) check() error {
	shares := map[string]float64{
		"threshold.cpu": i.Threshold.CPU, "threshold.gpu": i.Threshold.GPU, "threshold.vram": i.Threshold.VRAM,
		"threshold.encoder": i.Threshold.Encoder, "threshold.memory": i.Threshold.Memory,
	}
	for name, v := range shares {
		if !(v > 0 && v <= 1) {
			return fmt.Errorf("%s is %v; want a fraction more than 0 and at most 1", name, v)
		}
	}
	if o := i.Threshold.Over; !(o > 0 && o <= admission.MostOver) {
		return fmt.Errorf("threshold.over is %v; want a share of time more than 0 and at most %v", o, admission.MostOver)
	}
	amounts := map[string]float64{
		"uplink.budget_bps": i.Uplink.BudgetBps, "session.bitrate_bps": i.Session.BitrateBps,
		"session.max_length_s": i.Session.MaxLengthS, "session.idle_timeout_s": i.Session.IdleTimeoutS,
		"session.first_connect_timeout_s": i.Session.FirstConnectTimeoutS, "session.reconnect_grace_s": i.Session.ReconnectGraceS,
		"spectators.bitrate_bps": i.Spectators.BitrateBps, "spectators.low_bitrate_bps": i.Spectators.LowBitrateBps,
		"spectators.reconnect_grace_s": i.Spectators.ReconnectGraceS, "queue.reconnect_grace_s": i.Queue.ReconnectGraceS,
		"spectators.max_per_session": float64(i.Spectators.MaxPerSession), "queue.max_length": float64(i.Queue.MaxLength),
	}
	for name, v := range amounts {
		most := mostAmount
		if strings.HasSuffix(name, "_s") {
			most = mostSeconds
		}
		if !(v >= 0 && v <= most) {
			return fmt.Errorf("%s is %v; want 0 to %v", name, v, most)
		}
	}
	return i.checkWords()
}

func (i policyItem) checkWords() error {
	switch {
	case !(i.Queue.OfferTimeoutS >= 1 && i.Queue.OfferTimeoutS <= 3600):
		return fmt.Errorf("queue.offer_timeout_s is %v; want 1 to 3600", i.Queue.OfferTimeoutS)
	case i.Queue.MaxLapses < 1:
		return fmt.Errorf("queue.max_lapses is %d; want 1 or more", i.Queue.MaxLapses)
	case i.Placement.MaxStarting < 1:
		return fmt.Errorf("placement.max_starting is %d; want 1 or more", i.Placement.MaxStarting)
	case !(i.Placement.HostLostS >= 1 && i.Placement.HostLostS <= 86400):
		return fmt.Errorf("placement.host_lost_s is %v; want 1 to 86400", i.Placement.HostLostS)
	case i.Placement.Order != admission.Spread && i.Placement.Order != admission.Pack:
		return fmt.Errorf("placement.order is %q; want spread or pack", i.Placement.Order)
	case i.Queue.OnLapse != admission.LapseNext && i.Queue.OnLapse != admission.LapseLeave:
		return fmt.Errorf("queue.on_lapse is %q; want next or leave", i.Queue.OnLapse)
	}
	switch i.Uplink.WhenFull {
	case admission.FullWait, admission.FullDegrade, admission.FullAllow:
	default:
		return fmt.Errorf("uplink.when_full is %q; want wait, degrade or allow", i.Uplink.WhenFull)
	}
	switch i.Session.Sharing {
	case admission.SharingOpen, admission.SharingAsk, admission.SharingClosed:
		return nil
	}
	return fmt.Errorf("session.sharing is %q; want open, ask or closed", i.Session.Sharing)
}

func (a *api) showPolicy(c echo.Context) error {
	return show(a, c, func(_ time.Time, p *admission.Pool) policyItem { return policyOf(p.Policy()) })
}

// patchPolicy changes what the body names and leaves the rest.
func (a *api) patchPolicy(c echo.Context) error {
	p, err := a.pool(c)
	if err != nil {
		return err
	}
	var now admission.Policy
	if err := a.read(c, p, func(_ time.Time, pool *admission.Pool) { now = pool.Policy() }); err != nil {
		return err
	}
	item := policyOf(now)
	decoder := json.NewDecoder(c.Request().Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&item); err != nil {
		return problemf(http.StatusBadRequest, "not_understood", "%v; GET this address shows the shape", err)
	}
	if err := item.check(); err != nil {
		return problemf(http.StatusUnprocessableEntity, "invalid", "%v", err)
	}
	if err := a.do(c, p, admission.SetPolicy{Policy: item.apply(now), By: operatorName(c)}); err != nil {
		return err
	}
	return a.showPolicy(c)
}
