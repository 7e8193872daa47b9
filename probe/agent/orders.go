package agent

import (
	"errors"
	"math"

	"github.com/rendergate/rendergate/probe/launcher"
	"github.com/rendergate/rendergate/probe/wire"
)

// welcome takes the server's first frame: whose tickets count, what the pool
// knows of this host, and from which journal.
func (a *agent) welcome(f *wire.ToHost) error {
	w := f.Welcome
	if err := a.trust.welcome(w); err != nil {
		return err
	}
	r, err := a.book.welcome(f.Journal, f.Seq, w.Sessions)
	if err != nil {
		return err
	}
	if w.Token != "" {
		if err := a.tokens.enrol(w.Token); err != nil {
			a.log.Error("this host enrols anew the next time", "err", err)
		}
	}
	a.gate.Embed(w.FrameAncestors)
	a.drain(w.Draining)
	a.log.Info("connected to the service", "server", a.o.Config.Server, "journal", f.Journal, "seq", f.Seq, "sessions", len(w.Sessions))
	if r.former != "" {
		a.log.Error("the service follows another journal than before; nothing is stopped for it",
			"journal", f.Journal, "before", r.former, "sessions_it_does_not_know", r.orphans)
	} else if len(r.orphans) > 0 {
		a.log.Error("sessions run here that the service does not know, from before its journal changed; stop them by stopping this probe",
			"sessions", r.orphans)
	}
	for _, session := range r.stop {
		a.log.Warn("ending a session that the service does not know", "session", session)
		a.end(session, "unknown")
	}
	return nil
}

// act obeys a frame after the welcome.
func (a *agent) act(f *wire.ToHost) {
	switch f.Type {
	case "ack":
		a.trust.clock(f.Ack.ClockSkewS)
		return
	case "error":
		a.log.Warn("the service did not take a frame", "code", f.Error.Code, "message", f.Error.Message)
		return
	case "welcome":
		a.log.Warn("a second welcome is ignored")
		return
	case "calibrate":
		a.calibrator.order(f.Calibrate)
		return
	}
	if err := a.book.obey(f.Journal, f.Seq); err != nil {
		a.log.Error("decision of the service refused", "type", f.Type, "err", err)
		return
	}
	switch f.Type {
	case "start":
		a.start(f.Start)
	case "stop":
		a.end(f.Stop.Session, f.Stop.Reason)
	case "drain":
		a.drain(f.Drain.On)
	case "publish":
		a.publish(f.Publish)
	}
}

// start begins a session. What cannot be started is reported as ended: the pool
// then tries elsewhere.
func (a *agent) start(s *wire.Start) {
	old, running := a.launcher.Session(s.Session)
	if fresh := !running || s.Attempt > old.Attempt; fresh {
		a.gate.Close(s.Session)
		a.publishers.set(s.Session, false)
		a.o.Record.Start(*s)
		a.book.set(wire.Session{Session: s.Session, State: starting, Attempt: s.Attempt}) // before the launcher can say more
	}
	err := a.launcher.Start(launcher.Order{
		Session: s.Session, App: s.App, GPU: s.GPU, BitrateBps: bits(s.BitrateBps), Attempt: s.Attempt,
	})
	switch {
	case errors.Is(err, launcher.ErrClosing):
		// Not said: the next probe here is told again, if it is still wanted then.
		a.book.forget(s.Session)
	case err != nil:
		a.log.Warn("session not started", "session", s.Session, "err", err)
		a.book.set(wire.Session{Session: s.Session, State: ended, Reason: err.Error(), Attempt: s.Attempt})
	}
}

func bits(v float64) int64 {
	if !(v > 0) || v > math.MaxInt32*1e6 {
		return 0
	}
	return int64(v)
}

// end cuts a session's player off and ends its processes. One that does not run
// is reported as ended, since the pool believes otherwise.
func (a *agent) end(session, reason string) {
	a.gate.Close(session)
	a.publishers.set(session, false)
	if !a.launcher.Stop(session, reason) {
		a.book.set(wire.Session{Session: session, State: ended, Reason: "it does not run here"})
	}
}

// drain notes whether the pool sends no more sessions here. It is the pool that
// decides; a start that comes all the same is obeyed.
func (a *agent) drain(on bool) {
	if a.draining.Swap(on) != on {
		a.log.Info("draining", "on", on)
	}
}

func (a *agent) publish(p *wire.Publish) {
	if r, ok := a.launcher.Session(p.Session); p.On && (!ok || r.State != launcher.StateReady) {
		a.log.Debug("nothing to publish: the session is not ready", "session", p.Session)
		return
	}
	a.publishers.set(p.Session, p.On)
}

// changed hears from the launcher.
func (a *agent) changed(c launcher.Change) {
	switch c.State {
	case launcher.StateStarting:
		a.book.set(wire.Session{Session: c.Session, State: starting, Attempt: c.Attempt})
	case launcher.StateReady:
		r, ok := a.launcher.Session(c.Session)
		if !ok || r.Upstream == nil {
			return
		}
		a.gate.Open(c.Session, r.Upstream)
		a.book.set(wire.Session{Session: c.Session, State: ready, Attempt: c.Attempt})
	case launcher.StateEnded:
		a.gate.Close(c.Session)
		a.publishers.set(c.Session, false)
		a.book.set(wire.Session{Session: c.Session, State: ended, Reason: c.Reason, Attempt: c.Attempt})
	}
}
