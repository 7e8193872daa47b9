package admission

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// lived is a pool after some random steps, and its events.
func lived(tb testing.TB, seed uint64, steps int) (*Pool, []Event) {
	tb.Helper()
	h := &history{}
	h.start(seeded{rand.New(rand.NewPCG(seed, 7))})
	for range steps {
		h.step()
	}
	return h.p, h.log
}

// FuzzDecodeEvents: what is read is written again as the same events, and no
// event stops a pool, however little sense it makes.
func FuzzDecodeEvents(f *testing.F) {
	for seed := range uint64(5) {
		_, log := lived(f, seed, 3) // short: the fuzzer spends its time on making long ones short
		data, err := EncodeEvents(log)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{
		``, `{}`, `null`, `{"v":1,"events":null}`, `{"v":2,"events":[]}`, `{"v":1,"events":[]} x`,
		`{"v":1,"events":[{"at":"2026-01-01T00:00:00Z","type":"paused","data":{"by":"x"}}]}`,
		journalOfBefore,
		`{"v":1,"events":[{"at":"2026-01-01T00:00:00Z","type":"costs_learned","data":{"margin":2.5,"apps":{"a":{"weight":7,"ramp":[0,0.5,1],` +
			`"mean":{"cpu_cores":1,"gpu":0.1},"spread":{"cpu_cores":0.2},"swing":{"cpu_cores":0.1},"unsure":{"cpu_cores":0.3}}}}}]}`,
		`{"v":1,"events":[{"at":"9999-01-01T00:00:00Z","type":"paused","data":{}}]}`,
		`{"v":1,"events":[{"at":"2026-01-01T00:00:00Z","type":"view_rated","data":{"bitrate_bps":NaN}}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		events, err := DecodeEvents(data)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error that says nothing")
			}
			return
		}
		again, err := EncodeEvents(events)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		twice, err := DecodeEvents(again)
		if err != nil || !reflect.DeepEqual(events, twice) {
			t.Fatalf("read again it differs (%v):\n%v\n%v", err, events, twice)
		}
		p := New()
		for _, e := range events {
			p.Apply(e)
		}
		restored(t, p)
	})
}

// restored checks that a pool's snapshot gives the same pool, and that time can
// pass in it.
func restored(t *testing.T, p *Pool) {
	t.Helper()
	data, err := p.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	q, err := Restore(data)
	if err != nil {
		t.Fatalf("a snapshot of ours is refused: %v\n%s", err, data)
	}
	again, err := q.Snapshot()
	if err != nil || !bytes.Equal(data, again) {
		t.Fatalf("restoring gives another pool (%v):\n%s\n%s", err, data, again)
	}
	for _, x := range []*Pool{p, q} {
		x.Run(historyStart, Recover{})
		x.Run(x.NextDeadline(), Tick{})
	}
}

// FuzzRestore: a snapshot is refused with a reason, or gives a pool that works.
func FuzzRestore(f *testing.F) {
	for seed := range uint64(5) {
		p, _ := lived(f, seed, 3)
		data, err := p.Snapshot()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"v":1}`))
	f.Add([]byte(`{"v":1,"id":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Restore(data)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error that says nothing")
			}
			return
		}
		p.Run(historyStart, Recover{})
		p.Run(historyStart, Join{Client: "fuzz", Secret: "fuzz", Intent: Play})
		p.Run(p.NextDeadline(), Tick{})
		p.Explain(historyStart, "")
		if _, err := p.Snapshot(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestDecodeEventsSaysWhatIsWrong(t *testing.T) {
	event := func(typ, data string) string {
		return `{"v":1,"events":[{"at":"2026-01-01T00:00:00Z","type":"` + typ + `","data":` + data + `}]}`
	}
	for name, tt := range map[string]struct{ record, want string }{
		"nothing":         {``, "empty"},
		"not JSON":        {`{"v":`, "unexpected EOF"},
		"another version": {`{"v":7,"events":[]}`, "version 7, and this program reads 1"},
		"more after it":   {`{"v":1,"events":[]}{}`, "there is more after it"},
		"unknown type":    {event("teleported", `{}`), `event 0 ("teleported"): unknown type`},
		"unknown field":   {event("paused", `{"who":"x"}`), `unknown field "who"`},
		"wrong type":      {event("entry_moved", `{"key":"x"}`), "key"},
		"no object":       {event("paused", `[]`), "data must be an object"},
		"huge key":        {event("entry_moved", `{"key":9223372036854775807}`), "out of range"},
		"not a number":    {event("view_rated", `{"bitrate_bps":NaN}`), "invalid character"},
		"bad policy":      {event("policy_set", `{"policy":{}}`), "threshold.cpu is 0"},
		"bad host":        {event("host_connected", `{"facts":{"host":"h","cores":-1}}`), "-1 cores"},
		"long ramp":       {event("costs_learned", `{"apps":{"a":{"ramp":[`+strings.Repeat("1,", 30)+`1]}}}`), `app "a": a ramp of 31 points: at most 30`},
		"bad ramp":        {event("costs_learned", `{"apps":{"a":{"ramp":[0.5,-0.1]}}}`), `app "a": a ramp with -0.1 in it: 0 to 1`},
		"steep ramp":      {event("costs_learned", `{"apps":{"a":{"ramp":[1.01]}}}`), "a ramp with 1.01 in it"},
		"endless ramp":    {event("costs_learned", `{"apps":{"a":{"ramp":[1e999]}}}`), "1e999"},
		"bad swing":       {event("costs_learned", `{"apps":{"a":{"swing":{"gpu":-1}}}}`), `app "a": -1 is no cost`},
		"bad doubt":       {event("costs_learned", `{"apps":{"a":{"unsure":{"encoder":1e17}}}}`), `app "a": 1e+17 is no cost`},
		"bad weight":      {event("costs_learned", `{"apps":{"a":{"weight":-2}}}`), `app "a": -2 is no weight`},
		"bad margin":      {event("costs_learned", `{"apps":{},"margin":6.5}`), "a margin of 6.5: 0 to 6"},
		"less than none":  {event("costs_learned", `{"apps":{},"margin":-0.5}`), "a margin of -0.5: 0 to 6"},
		"bad time": {
			`{"v":1,"events":[{"at":"0001-01-01T00:00:00Z","type":"paused","data":{}}]}`, "not within 1970 to 2261",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeEvents([]byte(tt.record))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want something with %q", err, tt.want)
			}
		})
	}
}

// TestEveryEventHasADecoder keeps the two lists of events in step.
func TestEveryEventHasADecoder(t *testing.T) {
	for _, b := range []Body{
		PoolOpened{}, PolicySet{}, Paused{}, Unpaused{}, Recovered{}, HostConnected{}, HostDisconnected{}, HostLost{},
		HostDrained{}, HostUndrained{}, Enqueued{}, Resumed{}, Disconnected{}, EntryLeft{}, EntryMoved{}, Offered{},
		OfferLapsed{}, OfferAccepted{}, Admitted{}, SessionStarting{}, SessionPending{}, SessionReady{},
		SessionConnected{}, SessionDropped{}, SessionMoved{}, EndingSoon{}, SessionEnded{}, SessionReleased{},
		SharingSet{}, ViewStarted{}, ViewRated{}, ViewEnded{}, WishSet{}, CostsLearned{},
	} {
		if decoder(b.eventName()) == nil {
			t.Errorf("%T cannot be decoded", b)
		}
	}
}

// TestSenselessEvents applies real events in a senseless order, with some left
// out: a damaged journal may give an odd pool, never a panic or a pool that
// cannot be written.
func TestSenselessEvents(t *testing.T) {
	for seed := range uint64(1500) {
		_, log := lived(t, seed, 40)
		r := rand.New(rand.NewPCG(seed, 8))
		p := New()
		p.Apply(log[0])
		for i := range log {
			switch {
			case seed%2 == 0:
				p.Apply(log[r.IntN(len(log))])
			case r.IntN(5) > 0: // in order, with gaps
				p.Apply(log[i])
			}
		}
		restored(t, p)
	}
}
