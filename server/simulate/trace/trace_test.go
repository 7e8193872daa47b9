package trace

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/wire"
	"github.com/rendergate/rendergate/probe/wire/trace"
	"github.com/rendergate/rendergate/server/record"
)

var began = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

func at(s float64) time.Time { return began.Add(time.Duration(s * float64(time.Second))) }

// script is a server's trace that a test writes.
type script struct {
	testing.TB
	text strings.Builder
	seq  uint64
}

func newScript(t testing.TB) *script {
	s := &script{TB: t}
	s.line(trace.Header{Trace: trace.Format, V: trace.Version, Kind: trace.Server, Started: began, Pools: []string{"p"}})
	return s
}

func (s *script) line(v any) {
	s.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		s.Fatal(err)
	}
	s.text.Write(append(data, '\n'))
}

// happens records one event.
func (s *script) happens(sec float64, bodies ...admission.Body) {
	s.Helper()
	var events []admission.Event
	for _, b := range bodies {
		events = append(events, admission.Event{At: at(sec), Body: b})
	}
	data, err := admission.EncodeEvents(events)
	if err != nil {
		s.Fatal(err)
	}
	s.seq++
	s.line(record.Line{At: at(sec), Pool: "p", Seq: s.seq, Events: data})
}

func (s *script) opens() {
	policy := admission.DefaultPolicy()
	policy.Threshold.CPU = 0.7
	policy.Apps["app"] = admission.Profile{App: "app"}
	s.happens(0, admission.PoolOpened{ID: "id", Name: "p", Policy: policy},
		admission.HostConnected{Facts: admission.HostFacts{Host: "h", Cores: 4, Apps: []string{"app"}, GPUs: []admission.GPUFacts{{Name: "a GPU"}}}})
}

func (s *script) joins(sec float64, who string) {
	s.happens(sec, admission.Enqueued{Entry: "e-" + who, Client: who, App: "app", Class: "normal", Intent: admission.Play})
}

func grant(who string) admission.Grant {
	return admission.Grant{Session: "s-" + who, App: "app", Host: "h", GPU: 0}
}

// sample is a second of the host: measured, and what sessions used of it.
func (s *script) sample(sec, measured float64, use map[string]float64) {
	x := record.Sample{Host: "h", Seq: uint64(math.Round((sec - 0.01) * 10)), WindowEnd: at(sec - 0.01), WindowMS: 1000, PeriodMS: 1000, CPU: &measured}
	for _, session := range slices.Sorted(maps.Keys(use)) {
		v := use[session]
		n := wire.SessionSample{Session: session}
		if v >= 0 {
			n.CPU = &v
		}
		x.Sessions = append(x.Sessions, n)
	}
	s.line(record.Line{At: at(sec), Pool: "p", Sample: &x})
}

func (s *script) ends(sec float64) {
	s.line(trace.Line{At: at(sec), Note: trace.Note{End: true}})
}

func (s *script) read() *Trace {
	s.Helper()
	t, err := ReadFiles([]File{{"server.jsonl", strings.NewReader(s.text.String())}}, Options{})
	if err != nil {
		s.Fatalf("%v in\n%s", err, s.text.String())
	}
	return t
}

func (t *Trace) person(id string) Person {
	for _, p := range t.People {
		if p.ID == id {
			return p
		}
	}
	return Person{}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) < 1e-6) && got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// TestOnePersonsWay: joins, gets an offer, accepts, starts, connects, drops,
// comes back, leaves.
func TestOnePersonsWay(t *testing.T) {
	s := newScript(t)
	s.opens()
	s.joins(10, "ann")
	s.happens(15, admission.Offered{Offer: "o1", Entry: "e-ann", Client: "ann", Grant: grant("ann"), ExpiresAt: at(35)})
	s.happens(18, admission.OfferAccepted{Offer: "o1", Entry: "e-ann", Client: "ann", Session: "s-ann"})
	s.happens(19, admission.SessionStarting{Session: "s-ann", Client: "ann", Host: "h", GPU: 0, Attempt: 1})
	s.sample(20, 0.1, map[string]float64{"s-ann": 0.05})
	s.happens(21, admission.SessionReady{Session: "s-ann", Client: "ann"})
	s.sample(22, 0.2, map[string]float64{"s-ann": 0.15})
	s.happens(23, admission.SessionConnected{Session: "s-ann", Client: "ann"})
	s.sample(24, 0.55, map[string]float64{"s-ann": 0.50})
	s.sample(25, 0.55, map[string]float64{"s-ann": -1})
	s.happens(26, admission.SessionDropped{Session: "s-ann", Client: "ann"})
	s.happens(28, admission.SessionConnected{Session: "s-ann", Client: "ann"})
	s.happens(63, admission.SessionEnded{Session: "s-ann", Client: "ann", Reason: admission.WhyLeft})
	s.sample(64, 0.1, map[string]float64{"s-ann": 0.05})
	s.happens(70, admission.HostDisconnected{Host: "h"})
	s.ends(80)
	tr := s.read()
	p := tr.person("ann")
	near(t, "the arrival", p.ArrivesS, 10)
	near(t, "the patience", p.PatienceS, math.Inf(1))
	near(t, "the wait", p.WaitedS, 8)
	near(t, "the answer", p.AnswerS, 3)
	near(t, "the start", p.StartS, 3)
	near(t, "the boot", p.BootS, 2)
	near(t, "the way to the gate", p.ConnectS, 2)
	near(t, "the length", p.LengthS, 40)
	if p.App != "app" || p.Class != "normal" || p.Censored || p.Ended != admission.WhyLeft || p.Host != "h" || p.GPU != 0 || !p.Seated() {
		t.Errorf("%+v", p)
	}
	var load []string
	for _, x := range p.Load {
		load = append(load, fmt.Sprintf("%.2f:%.2f/%v", x.AtS, x.CPU.Value, x.CPU.Known))
	}
	if got, want := strings.Join(load, " "), "-3.01:0.20/true -1.01:0.60/true 0.99:2.00/true 1.99:0.00/false"; got != want {
		t.Errorf("the load is %s, want %s", got, want)
	}
	near(t, "the trace's length", tr.LengthS, 80)
	h := tr.Hosts[0]
	if tr.Policy.Threshold.CPU != 0.7 || tr.Period != time.Second || tr.Assumed || h.Samples != 5 || h.Cores != 4 ||
		!reflect.DeepEqual(h.Up, []Interval{{0, 70}}) || len(tr.Notes) != 0 {
		t.Errorf("%+v", tr)
	}
	near(t, "the overhead", h.Overhead.CPU.Mean, 0.2)
	near(t, "its spread", h.Overhead.CPU.Spread, 0)
	if h.Overhead.CPU.N != 4 || h.Overhead.Memory.N != 0 {
		t.Errorf("overhead %+v", h.Overhead)
	}
}

// TestOtherWays are the ends that a person can come to.
func TestOtherWays(t *testing.T) {
	inf := math.Inf(1)
	offered := func(s *script, sec float64) {
		s.happens(sec, admission.Offered{Offer: fmt.Sprint("o", sec), Entry: "e-a", Client: "a", Grant: grant("a")})
	}
	lapsed := func(s *script, sec, of float64, why admission.Why) {
		s.happens(sec, admission.OfferLapsed{Offer: fmt.Sprint("o", of), Entry: "e-a", Client: "a", Session: "s-a", Reason: why})
	}
	seated := func(s *script) {
		s.happens(10, admission.Admitted{Entry: "e-a", Client: "a", Grant: grant("a")})
		s.happens(10, admission.SessionStarting{Session: "s-a", Client: "a", Host: "h", Attempt: 1})
	}
	ready := func(s *script) {
		seated(s)
		s.happens(12, admission.SessionReady{Session: "s-a", Client: "a"})
	}
	ended := func(s *script, sec float64, why admission.Why) {
		s.happens(sec, admission.SessionEnded{Session: "s-a", Client: "a", Reason: why})
	}
	for name, tt := range map[string]struct {
		happens func(s *script)
		want    Person
	}{
		"waits still": {func(*script) {}, Person{PatienceS: inf, WaitedS: 90, StartS: -1, BootS: -1, ConnectS: -1, GPU: -1}},
		"gives up": {
			func(s *script) {
				s.happens(40, admission.EntryLeft{Entry: "e-a", Client: "a", Reason: admission.WhyLeft})
			},
			Person{PatienceS: 30, WaitedS: 30, Left: "left", StartS: -1, BootS: -1, ConnectS: -1, GPU: -1},
		},
		"lets offers lapse, declines, accepts": {
			func(s *script) {
				offered(s, 20)
				lapsed(s, 40, 20, admission.WhyLapsed)
				offered(s, 41)
				lapsed(s, 42, 41, admission.WhyDeclined)
				offered(s, 45)
				lapsed(s, 46, 45, admission.WhyHostLost) // no fault of theirs
				offered(s, 50)
				s.happens(53, admission.OfferAccepted{Offer: "o50", Entry: "e-a", Client: "a", Session: "s-a"})
			},
			Person{
				PatienceS: inf, WaitedS: 43, AnswerS: 3, Answers: []float64{-20, -1, 3}, StartS: -1, BootS: -1, ConnectS: -1,
				Host: "h", GPU: 0, Censored: true,
			},
		},
		"leaves while an offer stands": {
			func(s *script) {
				offered(s, 20)
				s.happens(25, admission.EntryLeft{Entry: "e-a", Client: "a", Reason: admission.WhyGrace})
			},
			Person{PatienceS: 15, WaitedS: 15, AnswerS: -5, Answers: []float64{-5}, Left: "grace", StartS: -1, BootS: -1, ConnectS: -1, GPU: -1},
		},
		"never comes to the gate": {
			func(s *script) { ready(s); ended(s, 72, admission.WhyNoShow) },
			Person{PatienceS: inf, StartS: 2, BootS: 2, ConnectS: -1, LengthS: 60, Ended: "no_show", Host: "h"},
		},
		"plays still": {
			func(s *script) { ready(s); s.happens(13, admission.SessionConnected{Session: "s-a", Client: "a"}) },
			Person{PatienceS: inf, StartS: 2, BootS: 2, ConnectS: 1, LengthS: 87, Censored: true, Host: "h"},
		},
		"starts still": {
			seated,
			Person{PatienceS: inf, StartS: -1, BootS: -1, ConnectS: -1, Censored: true, Host: "h"},
		},
		"is cut off by the limit": {
			func(s *script) {
				ready(s)
				s.happens(13, admission.SessionConnected{Session: "s-a", Client: "a"})
				ended(s, 43, admission.WhyLength)
			},
			Person{PatienceS: inf, StartS: 2, BootS: 2, ConnectS: 1, LengthS: 30, Ended: "length", Host: "h"},
		},
		"is put back when a session fails, and seated again": {
			func(s *script) {
				ready(s)
				s.happens(13, admission.SessionConnected{Session: "s-a", Client: "a"})
				s.happens(23, admission.SessionEnded{Session: "s-a", Client: "a", Reason: admission.WhyFailed, Requeued: "e2"})
				g := grant("a")
				g.Session = "s2"
				s.happens(30, admission.Offered{Offer: "o", Entry: "e2", Client: "a", Grant: g})
				s.happens(32, admission.OfferAccepted{Offer: "o", Entry: "e2", Client: "a", Session: "s2"})
				s.happens(35, admission.SessionReady{Session: "s2", Client: "a"})
				s.happens(36, admission.SessionConnected{Session: "s2", Client: "a"})
				s.happens(56, admission.SessionEnded{Session: "s2", Client: "a", Reason: admission.WhyLeft})
			},
			Person{
				PatienceS: inf, AnswerS: 2, Answers: []float64{2}, StartS: 2, BootS: 2, ConnectS: 1, LengthS: 30, Ended: "left", Host: "h",
			},
		},
		"is put back, and gives up": {
			func(s *script) {
				ready(s)
				s.happens(22, admission.SessionEnded{Session: "s-a", Client: "a", Reason: admission.WhyHostLost, Requeued: "e2"})
				s.happens(30, admission.EntryLeft{Entry: "e2", Client: "a", Reason: admission.WhyLeft})
			},
			Person{PatienceS: inf, StartS: 2, BootS: 2, ConnectS: -1, LengthS: 10, Left: "left", Ended: "host_lost", Censored: true, Host: "h"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			s.opens()
			s.joins(10, "a")
			tt.happens(s)
			s.ends(100)
			got := s.read().person("a")
			tt.want.ID, tt.want.App, tt.want.Class, tt.want.ArrivesS = "a", "app", "normal", 10
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("\n got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// TestSpectatorsAreNobodyWhoPlays, until they join the queue.
func TestSpectatorsAreNobodyWhoPlays(t *testing.T) {
	s := newScript(t)
	s.opens()
	s.happens(1, admission.Enqueued{Entry: "w", Client: "a", App: "app", Class: "normal", Intent: admission.View})
	s.happens(2, admission.EntryLeft{Entry: "w", Client: "a", Reason: admission.WhyLeft})
	s.joins(5, "a")
	s.happens(6, admission.EntryLeft{Entry: "e-a", Client: "a", Reason: admission.WhyLeft})
	s.joins(7, "a") // a second time
	s.ends(10)
	tr := s.read()
	if len(tr.People) != 2 || tr.People[0].ID != "a" || tr.People[0].PatienceS != 1 || tr.People[1].ID != "a#2" || tr.People[1].ArrivesS != 7 {
		t.Errorf("%+v", tr.People)
	}
}

// TestWhatStoodBefore: a recording on a used folder begins with a snapshot, and
// one that goes on after the service was started again has another.
func TestWhatStoodBefore(t *testing.T) {
	p := admission.New()
	policy := admission.DefaultPolicy()
	policy.Apps["app"] = admission.Profile{App: "app"}
	apply := func(sec float64, bodies ...admission.Body) {
		for _, b := range bodies {
			p.Apply(admission.Event{At: at(sec), Body: b})
		}
	}
	apply(-100, admission.PoolOpened{ID: "id", Name: "p", Policy: policy},
		admission.HostConnected{Facts: admission.HostFacts{Host: "h", Cores: 4, Apps: []string{"app"}}})
	enqueue := func(who string) admission.Enqueued {
		return admission.Enqueued{Entry: "e-" + who, Client: who, Secret: who, App: "app", Class: "normal", Intent: admission.Play, Key: int64(len(who))}
	}
	seat := func(who string) []admission.Body {
		return []admission.Body{
			enqueue(who), admission.Admitted{Entry: "e-" + who, Client: who, Grant: grant(who)},
			admission.SessionStarting{Session: "s-" + who, Client: who, Host: "h", Attempt: 1},
			admission.SessionReady{Session: "s-" + who, Client: who}, admission.SessionConnected{Session: "s-" + who, Client: who},
		}
	}
	apply(-50, seat("a")...)
	apply(-40, seat("bb")...)
	apply(-20, enqueue("ccc"), enqueue("dddd"))
	snapshot := func(s *script, sec float64) {
		data, err := p.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		s.seq++
		s.line(record.Line{At: at(sec), Pool: "p", Seq: s.seq, Snapshot: data})
		s.seq--
		s.happens(sec, admission.Recovered{}) // it is in the snapshot
	}
	s := newScript(t)
	snapshot(s, 0)
	end := admission.SessionEnded{Session: "s-a", Client: "a", Reason: admission.WhyLeft}
	s.happens(10, end)
	apply(10, end)
	s.joins(12, "eeeee")
	apply(12, enqueue("eeeee"))
	// What follows happened while nothing was recorded.
	apply(30, admission.SessionEnded{Session: "s-bb", Client: "bb", Reason: admission.WhyLeft},
		admission.EntryLeft{Entry: "e-ccc", Client: "ccc", Reason: admission.WhyLeft},
		admission.Admitted{Entry: "e-dddd", Client: "dddd", Grant: grant("dddd")},
		admission.SessionReady{Session: "s-dddd", Client: "dddd"})
	apply(31, seat("ffffff")...)
	snapshot(s, 40)
	s.happens(60, admission.SessionEnded{Session: "s-ffffff", Client: "ffffff", Reason: admission.WhyLeft})
	s.ends(100)
	tr := s.read()
	var got []string
	for _, x := range tr.People {
		got = append(got, fmt.Sprintf("%s %.0f wait %.0f play %.0f %s cut %v", x.ID, x.ArrivesS, x.WaitedS, x.LengthS, x.Ended+x.Left, x.Censored))
	}
	want := []string{
		"a -50 wait 0 play 60 left cut false", "bb -40 wait 0 play 80  cut true", "ccc -20 wait 60 play 0  cut false",
		"dddd -20 wait 50 play 70  cut true", "eeeee 12 wait 88 play 0  cut false", "ffffff 31 wait 0 play 29 left cut false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	if !reflect.DeepEqual(tr.Hosts[0].Up, []Interval{{0, 100}}) {
		t.Errorf("up %v", tr.Hosts[0].Up)
	}
}

// TestAProbeAlone tells of its sessions.
func TestAProbeAlone(t *testing.T) {
	tr, err := Read([]string{golden}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.People) != 1 {
		t.Fatalf("%+v", tr.People)
	}
	p := tr.People[0]
	near(t, "the arrival", p.ArrivesS, 1.5)
	near(t, "the start", p.StartS, 2)
	near(t, "the way to the gate", p.ConnectS, 0.5)
	near(t, "the length", p.LengthS, 6)
	if p.ID != "s1" || p.App != "app" || p.GPU != 0 || p.Ended != "left" || p.Censored || !math.IsInf(p.PatienceS, 1) || len(p.Load) != 1 {
		t.Errorf("%+v", p)
	}
	x := p.Load[0]
	near(t, "the load", x.CPU.Value, 0.96)
	near(t, "its time", x.AtS, 1)
	if !x.GPU.Known || x.Encoder.Known || x.GPU.Value != 0.38 || x.ForS != 1 {
		t.Errorf("%+v", x)
	}
	h := tr.Hosts[0]
	if !tr.Assumed || tr.Policy.Apps["app"].App != "app" || tr.Period != time.Second || tr.LengthS != 12 || len(tr.Notes) != 1 {
		t.Errorf("%+v", tr)
	}
	near(t, "overhead of the CPU", h.Overhead.CPU.Mean, 0.22)
	near(t, "overhead of the GPU", h.Overhead.GPUs[0].Util.Mean, 0.02)
	if o := h.Overhead.GPUs[0]; o.Util.N != 2 || o.Encoder.N != 0 || o.VRAM.N != 2 {
		t.Errorf("%+v", o)
	}
}

// TestAServersGoldenLines are read as they stand.
func TestAServersGoldenLines(t *testing.T) {
	tr, err := Read([]string{goldenServer}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.People) != 2 || tr.LengthS != 9 || tr.Hosts[0].Cores != 4 || tr.Policy.Apps["app"].Cost.GPU != 0.4 || len(tr.Notes) != 1 {
		t.Fatalf("%+v", tr)
	}
	if before, p := tr.People[0], tr.People[1]; before.ArrivesS != -3600 || before.Seated() || p.ArrivesS != 3 || p.Host != "h" || !p.Censored {
		t.Errorf("%+v\n%+v", before, p)
	}
}

const goldenServer = "../../record/testdata/server.jsonl"

const golden = "../../../probe/wire/trace/testdata/probe.jsonl"

// TestBothEnds: samples that only the probe has are placed by those that both have.
func TestBothEnds(t *testing.T) {
	const apart = 3600 // the probe's clock, in seconds
	for name, tt := range map[string]struct {
		both    int
		samples int
		note    string
	}{
		"clocks that can be compared": {5, 8, ""},
		"clocks that cannot":          {2, 2, "cannot be compared"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			s.opens()
			probe := &script{TB: t}
			probe.line(trace.Header{Trace: trace.Format, V: 1, Kind: trace.Probe, Started: at(apart), Host: "h", Pool: "p"})
			for i := range tt.both + 3 {
				cpu, sec := 0.1+float64(i)/100, float64(i+1)
				x := wire.Sample{Seq: uint64(math.Round(sec * 10)), WindowMS: 1000.0000004, CPU: &cpu} // the server counts nanoseconds
				probe.line(trace.Line{At: at(sec + apart), Sample: &x})
				if i < tt.both {
					s.sample(sec+0.01, cpu, nil)
				}
			}
			probe.ends(100 + apart)
			s.ends(100)
			tr, err := ReadFiles([]File{{"probe", strings.NewReader(probe.text.String())}, {"server", strings.NewReader(s.text.String())}}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if tr.Hosts[0].Samples != tt.samples || !strings.Contains(strings.Join(tr.Notes, "\n"), tt.note) || (len(tr.Notes) > 0) != (tt.note != "") {
				t.Errorf("%d samples, want %d; %q", tr.Hosts[0].Samples, tt.samples, tr.Notes)
			}
		})
	}
}

// TestServersTakeTurns: two servers lead a pool one after the other and again,
// and each has recorded what it led. One file is given twice.
func TestServersTakeTurns(t *testing.T) {
	p := admission.New()
	whole, a, b := newScript(t), newScript(t), newScript(t)
	all := []*script{whole, a}
	do := func(sec float64, c admission.Command) {
		events, _ := p.Run(at(sec), c)
		var bodies []admission.Body
		for _, e := range events {
			bodies = append(bodies, e.Body)
		}
		seq := whole.seq
		for _, s := range all {
			s.seq = seq
			s.happens(sec, bodies...)
		}
	}
	leads := func(sec float64, s *script) {
		all = []*script{whole}
		do(sec, admission.Recover{})
		all = append(all, s)
		data, err := p.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		s.line(record.Line{At: at(sec), Pool: "p", Seq: whole.seq, Snapshot: data})
	}
	policy := admission.DefaultPolicy()
	policy.Apps["app"] = admission.Profile{App: "app"}
	join := func(who string) admission.Join {
		return admission.Join{Client: who, Secret: who, Intent: admission.Play}
	}
	do(0, admission.Open{ID: "id", Name: "p", Policy: policy})
	do(1, join("ann"))
	leads(2, b)
	do(3, join("bob"))
	do(4, admission.Leave{Client: "ann"})
	leads(5, a)
	do(6, join("cid"))
	do(7, admission.Leave{Client: "bob"})
	for _, s := range []*script{whole, a, b} {
		s.ends(10)
	}
	read := func(scripts ...*script) *Trace {
		var files []File
		for i, s := range scripts {
			files = append(files, File{fmt.Sprint(i), strings.NewReader(s.text.String())})
		}
		tr, err := ReadFiles(files, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	want := read(whole)
	for name, got := range map[string]*Trace{"in turns": read(a, b), "the other way": read(b, a), "twice": read(a, b, a), "all": read(whole, a)} {
		if len(want.People) != 3 || !reflect.DeepEqual(got.People, want.People) {
			t.Errorf("%s\n got %+v\nwant %+v", name, got.People, want.People)
		}
	}
}

func TestTracesThatAreWrong(t *testing.T) {
	const head = `{"trace":"rendergate","v":1,"kind":"server","started":"2026-11-27T12:00:00Z"}` + "\n"
	const probe = `{"trace":"rendergate","v":1,"kind":"probe","started":"2026-11-27T12:00:00Z","host":"h","pool":"p"}` + "\n"
	const when = `{"at":"2026-11-27T12:00:00Z",`
	for says, text := range map[string]string{
		"f.jsonl: nothing was recorded in it":                              head,
		"f.jsonl: line 2: snapshot: version 0, and this program reads":     head + when + `"pool":"p","seq":1,"snapshot":{}}`,
		"f.jsonl: line 2: journal record: event 0 (\"dance\")":             head + when + `"pool":"p","seq":1,"events":{"v":1,"events":[{"at":"2026-11-27T12:00:00Z","type":"dance","data":{}}]}}`,
		"line 2: at 1999-01-01T00:00:00Z, which is years from":             head + `{"at":"1999-01-01T00:00:00Z","end":true}`,
		`line 2: a sample without "host"`:                                  head + when + `"pool":"p","sample":{}}`,
		"line 2: window_end is 0001-01-01":                                 head + when + `"pool":"p","sample":{"host":"h"}}`,
		"line 2: a sample says -1; want 0 to":                              head + when + `"pool":"p","sample":{"host":"h","window_end":"2026-11-27T12:00:00Z","cpu":-1}}`,
		"line 2: a sample with -5 ms":                                      head + when + `"pool":"p","sample":{"host":"h","window_end":"2026-11-27T12:00:00Z","window_ms":-5}}`,
		`line 1: a probe's header without "host" or "pool"`:                strings.Replace(probe, `"host":"h",`, "", 1),
		`line 2: hello of host "g", and the header says "h"`:               probe + when + `"hello":{"host":"g"}}`,
		"line 2: host h: 0 cores":                                          probe + when + `"hello":{"host":"h"}}`,
		`line 2: state "asleep" is unknown; want starting, ready`:          probe + when + `"session":{"session":"s","state":"asleep"}}`,
		`line 2: "session" is empty; want an id`:                           probe + when + `"session":{"state":"ready"}}`,
		"traces of several pools; name one of a, b":                        head + when + `"pool":"a","seq":1,"events":{"v":1,"events":[]}}` + "\n" + when + `"pool":"b","seq":2,"events":{"v":1,"events":[]}}`,
		"f.jsonl: line 1: this is no trace; want a header such as {\"trac": "{}",
	} {
		t.Run(says, func(t *testing.T) {
			_, err := ReadFiles([]File{{"f.jsonl", strings.NewReader(text)}}, Options{})
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Read([]string{"/nowhere.jsonl"}, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of a file that is not there: %v", err)
	}
	if _, err := Read(nil, Options{}); err == nil {
		t.Error("of no file: no error")
	}
	if _, err := Read([]string{golden}, Options{Pool: "q"}); err == nil || !strings.Contains(err.Error(), `no trace of pool "q"; there is p`) {
		t.Errorf("of a pool that is not there: %v", err)
	}
}

// TestAnyHistory: whatever a pool goes through, its trace is read, has everybody
// who came to play once, and no number in it is odd.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newScript(t)
		policy := admission.DefaultPolicy()
		policy.Apps["app"] = admission.Profile{App: "app", Cost: admission.Cost{CPUCores: 0.5}}
		p, sec := admission.New(), 0.0
		joined := map[string]bool{}
		do := func(c admission.Command) {
			events, _ := p.Run(at(sec), c)
			var bodies []admission.Body
			for _, e := range events {
				bodies = append(bodies, e.Body)
				if b, ok := e.Body.(admission.Enqueued); ok && b.Intent == admission.Play {
					joined[b.Client] = true
				}
			}
			if len(bodies) > 0 {
				s.happens(sec, bodies...)
			}
		}
		do(admission.Open{ID: "id", Name: "p", Policy: policy})
		facts := admission.HostFacts{Host: "h", Cores: 2, Apps: []string{"app"}}
		for i := range rapid.IntRange(1, 80).Draw(rt, "steps") {
			sec += rapid.Float64Range(0, 20).Draw(rt, "pause")
			who := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "who")
			client, _ := p.Client(who)
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0, 1:
				do(admission.Join{Client: fmt.Sprint(who), Secret: fmt.Sprint(i), Intent: admission.Play})
			case 2:
				do(admission.Leave{Client: who})
			case 3:
				do(admission.HostUp{Facts: facts})
			case 4:
				do(admission.HostDown{Host: "h"})
			case 5:
				if e, ok := p.Entry(client.Entry); ok {
					do(admission.Accept{Client: who, Offer: e.Offer})
				}
			case 6, 7:
				state := rapid.SampledFrom([]admission.SessionState{
					admission.StateReady, admission.StateConnected, admission.StateDropped, admission.StateEnded,
				}).Draw(rt, "state")
				do(admission.Report{Host: "h", Session: client.Session, State: state})
			case 8:
				x := admission.Sample{
					Host: "h", Seq: uint64(i + 1), Received: at(sec), WindowEnd: at(sec), Window: time.Second, Period: time.Second,
					CPU: admission.Known(0.1), Memory: admission.Known(0),
				}
				_ = p.Observe(at(sec), x)
				s.sample(sec, 0.1, map[string]float64{client.Session: 0.1})
			case 9:
				s.line(trace.Line{At: at(sec), Note: trace.Note{Dropped: 1}})
			}
			do(admission.Tick{})
		}
		tr := s.read()
		seen := map[string]bool{}
		for _, x := range tr.People {
			id, _, _ := strings.Cut(x.ID, "#")
			seen[id] = true
			checkPerson(rt, tr, x)
		}
		if !reflect.DeepEqual(seen, joined) {
			rt.Fatalf("people %v, and %v came", seen, joined)
		}
	})
}

// checkPerson holds a person to what the type says.
func checkPerson(t interface{ Fatalf(string, ...any) }, tr *Trace, p Person) {
	const slack = 1e-6
	switch {
	case math.IsNaN(p.ArrivesS + p.AnswerS + p.StartS + p.ConnectS + p.LengthS + p.WaitedS):
	case p.ArrivesS+p.WaitedS > tr.LengthS+slack, p.LengthS < 0, p.WaitedS < 0, !(p.PatienceS >= 0):
	case p.Seated() && !math.IsInf(p.PatienceS, 1):
	case !p.Seated() && (p.LengthS > 0 || p.Ended != "" || len(p.Load) > 0):
	case p.ArrivesS >= 0 && p.ArrivesS+p.LengthS > tr.LengthS+slack:
	default:
		return
	}
	t.Fatalf("%+v cannot be in %v s", p, tr.LengthS)
}

// FuzzRead: whatever stands in a file, it is read or refused, and what is read
// holds together.
func FuzzRead(f *testing.F) {
	s := newScript(f)
	s.opens()
	s.joins(1, "a")
	s.happens(2, admission.Admitted{Entry: "e-a", Client: "a", Grant: grant("a")})
	s.happens(3, admission.SessionReady{Session: "s-a", Client: "a"})
	s.sample(4, 0.5, map[string]float64{"s-a": 0.25})
	s.happens(5, admission.SessionEnded{Session: "s-a", Client: "a", Reason: admission.WhyLeft})
	s.ends(6)
	probe, err := os.ReadFile(golden)
	if err != nil {
		f.Fatal(err)
	}
	server, err := os.ReadFile(goldenServer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(server, probe)
	f.Add([]byte(s.text.String()), probe)
	f.Add(probe, probe)
	f.Add([]byte(s.text.String())[:s.text.Len()-9], []byte(""))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		files := []File{{"a", strings.NewReader(string(a))}}
		if len(b) > 0 {
			files = append(files, File{"b", strings.NewReader(string(b))})
		}
		tr, err := ReadFiles(files, Options{})
		if (tr == nil) == (err == nil) {
			t.Fatalf("%v, %v", tr, err)
		}
		if err != nil {
			return
		}
		ids := map[string]bool{}
		for _, p := range tr.People {
			if ids[p.ID] || math.IsNaN(p.LengthS+p.WaitedS+p.ArrivesS) {
				t.Fatalf("%+v", p)
			}
			ids[p.ID] = true
		}
	})
}
