package admission

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestImpossibleSamples(t *testing.T) {
	s := newScene(t, nil).host("h", 0.1)
	s.do(HostUp{Facts: hostFacts("gone")})
	s.do(HostDown{Host: "gone"})
	good := Sample{Host: "h", Seq: 10, Received: s.now, WindowEnd: s.now, Window: time.Second, Period: time.Second}
	for name, tt := range map[string]struct {
		change func(x *Sample)
		want   string
	}{
		"unknown host":    {func(x *Sample) { x.Host = "nowhere" }, "no such host"},
		"gone host":       {func(x *Sample) { x.Host = "gone" }, "not connected"},
		"old":             {func(x *Sample) { x.Seq = 1 }, "not newer than 1"},
		"NaN":             {func(x *Sample) { x.CPU = Known(math.NaN()) }, "cpu is NaN"},
		"negative":        {func(x *Sample) { x.CPU = Known(-0.1) }, "cpu is -0.1"},
		"absurd":          {func(x *Sample) { x.CPU = Known(85) }, "cpu is 85"},
		"infinite":        {func(x *Sample) { x.Memory = Known(math.Inf(1)) }, "memory is +Inf"},
		"GPU":             {func(x *Sample) { x.GPUs = []GPUSample{{}, {VRAM: Known(-1)}} }, "GPU 1: VRAM is -1"},
		"session":         {func(x *Sample) { x.Sessions = []SessionSample{{Session: "s1", GPU: Known(9)}} }, "session s1: gpu is 9"},
		"clock an hour":   {func(x *Sample) { x.WindowEnd = x.WindowEnd.Add(time.Hour) }, "the clock of the host is off"},
		"from the future": {func(x *Sample) { x.Received = x.Received.Add(time.Hour); x.WindowEnd = x.Received }, "received at"},
		"no period":       {func(x *Sample) { x.Period = 0 }, "a period of 0s"},
		"long window":     {func(x *Sample) { x.Window = time.Hour }, "a window of 1h0m0s"},
		"too many":        {func(x *Sample) { x.GPUs = make([]GPUSample, 1000) }, "1000 GPUs"},
	} {
		t.Run(name, func(t *testing.T) {
			x := good
			tt.change(&x)
			if err := s.p.Observe(s.now, x); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want something with %q", err, tt.want)
			}
			if v, _ := s.p.Host(s.now, "h"); v.Last.Seq != 1 {
				t.Fatal("the sample was taken")
			}
		})
	}
	if err := s.p.Observe(s.now, good); err != nil {
		t.Fatal(err)
	}
}

func TestExplain(t *testing.T) {
	s := newScene(t, func(p *Policy) { seats(2)(p); p.Uplink.BudgetBps = 16e6 }).host("a", 0.5).host("b", 0.9)
	s.do(HostUp{Facts: hostFacts("c")})
	s.do(HostDown{Host: "c"})
	s.play("ann")
	x := s.p.Explain(s.now, "")
	if !x.Admits || x.App != "app" || len(x.Items) != 3 {
		t.Fatalf("got %+v", x)
	}
	for i, want := range []string{"a true", "b false", "c false"} {
		if got := fmt.Sprint(x.Items[i].Host, " ", x.Items[i].Admits); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	verdicts := map[Resource]Verdict{}
	for _, v := range x.Items[0].Resources {
		verdicts[v.Resource] = v
	}
	if v := verdicts[CPU]; v.Measured == nil || *v.Measured != 0.5 || v.Verdict != "ok" || v.Limit != 0.85 {
		t.Errorf("cpu %+v", v)
	}
	if v := verdicts[Seats]; v.Projected != 2 || v.Limit != 2 || v.Verdict != "ok" || v.Measured != nil {
		t.Errorf("seats %+v", v)
	}
	if v := verdicts[UplinkPool]; v.Projected != 16e6 || v.Limit != 16e6 || v.Verdict != "ok" {
		t.Errorf("uplink %+v", v)
	}
	s.play("bob")
	if x := s.p.Explain(s.now, "app"); x.Admits || x.BlockedBy == nil || x.BlockedBy.Resource != UplinkPool || x.Items[0].Admits {
		t.Errorf("got %+v", x)
	}
}

// TestExplainTellsWhatMadeIt: whatever is projected of an elastic resource can be
// worked out from what is told beside it.
func TestExplainTellsWhatMadeIt(t *testing.T) {
	s := newScene(t, func(p *Policy) {
		p.Threshold.Over = 0.01
		p.Apps["app"] = Profile{App: "app", Cost: Cost{CPUCores: 0.4}, Spread: Cost{CPUCores: 0.1}, SettleS: 10}
	}).host("h", 0.1)
	told := func(reserved, below bool) {
		t.Helper()
		for _, v := range s.p.Explain(s.now, "").Items[0].Resources {
			if !v.Resource.Elastic() {
				if v.Now != 0 || v.Usual != 0 || v.Margin != 0 || v.New != 0 {
					t.Errorf("%s is no elastic resource: %+v", v.Resource, v)
				}
				continue
			}
			if want := v.New + max(v.Now, v.Usual+v.Margin); math.Abs(v.Projected-want) > 1e-12 {
				t.Errorf("projected %v, and it is made of %v: %+v", v.Projected, want, v)
			}
			if v.Margin <= 0 || v.New != 0.1 || (v.Reserved > 0) != reserved || (v.Now < *v.Measured) != below {
				t.Errorf("%+v", v)
			}
		}
	}
	told(false, false)
	s.play("ann", "bob")
	told(true, false)
	s.seconds(5, "h", 0.2, uses(0.05, "s1-x", "s2-x")...)
	told(true, false)
	s.seconds(20, "h", 0.3, uses(0.1, "s1-x", "s2-x")...)
	told(false, false)
	s.free("ann")
	told(false, true) // what ann took is still measured
}

func TestPolicyValidate(t *testing.T) {
	for want, change := range map[string]func(*Policy){
		"threshold.cpu is 85":            func(p *Policy) { p.Threshold.CPU = 85 },
		"threshold.vram is NaN":          func(p *Policy) { p.Threshold.VRAM = math.NaN() },
		"threshold.over is 0.51":         func(p *Policy) { p.Threshold.Over = 0.51 },
		"threshold.over is -0.01":        func(p *Policy) { p.Threshold.Over = -0.01 },
		"threshold.over is NaN":          func(p *Policy) { p.Threshold.Over = math.NaN() },
		"apps.app: doubt is 2.01":        func(p *Policy) { p.Apps["app"] = Profile{Doubt: 2.01} },
		"apps.app: doubt is -0.5":        func(p *Policy) { p.Apps["app"] = Profile{Doubt: -0.5} },
		"apps.app: doubt is NaN":         func(p *Policy) { p.Apps["app"] = Profile{Doubt: math.NaN()} },
		"uplink.budget is -1":            func(p *Policy) { p.Uplink.BudgetBps = -1 },
		"queue.offer_timeout is 0s":      func(p *Policy) { p.Queue.OfferTimeout = 0 },
		"session.max_length is -1s":      func(p *Policy) { p.Session.MaxLength = -time.Second },
		"placement.max_starting is -1":   func(p *Policy) { p.Placement.MaxStarting = -1 },
		`uplink.when_full is "maybe"`:    func(p *Policy) { p.Uplink.WhenFull = "maybe" },
		`placement.order is ""`:          func(p *Policy) { p.Placement.Order = "" },
		`queue.on_lapse is "never"`:      func(p *Policy) { p.Queue.OnLapse = "never" },
		`session.sharing is "some"`:      func(p *Policy) { p.Session.Sharing = "some" },
		`queue.classes has "vip"`:        func(p *Policy) { p.Queue.Classes = []string{"vip", "vip"} },
		"apps.app: a cost or spread":     func(p *Policy) { p.Apps["app"] = Profile{Cost: Cost{GPU: -1}} },
		"apps.app: seats -1":             func(p *Policy) { p.Apps["app"] = Profile{Seats: -1} },
		"apps has one without a name":    func(p *Policy) { p.Apps[""] = Profile{} },
		"spectators.low_bitrate is +Inf": func(p *Policy) { p.Spectators.LowBitrateBps = math.Inf(1) },
	} {
		p := DefaultPolicy()
		change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something with %q", err, want)
		}
	}
	if err := DefaultPolicy().Validate(); err != nil {
		t.Error(err)
	}
}
