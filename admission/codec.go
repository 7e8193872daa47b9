package admission

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// formatVersion is that of journal records and snapshots. Version N reads N-1
// too, once there is one.
const formatVersion = 1

type record struct {
	V      int           `json:"v"`
	Events []recordEvent `json:"events"`
}

type recordEvent struct {
	At   time.Time       `json:"at"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// EncodeEvents turns events into one journal record. It fails on numbers that
// JSON does not have (NaN, infinities) and on events without a body.
func EncodeEvents(events []Event) ([]byte, error) {
	r := record{V: formatVersion, Events: make([]recordEvent, 0, len(events))}
	for i, e := range events {
		if e.Body == nil {
			return nil, fmt.Errorf("event %d has no body", i)
		}
		data, err := json.Marshal(e.Body)
		if err != nil {
			return nil, fmt.Errorf("event %d (%s): %w", i, e.Name(), err)
		}
		r.Events = append(r.Events, recordEvent{At: e.At.UTC(), Type: e.Name(), Data: data})
	}
	return json.Marshal(r)
}

// DecodeEvents reads one journal record. It refuses another version, unknown
// types and fields, values out of range and anything after the record, saying
// what and where.
func DecodeEvents(data []byte) ([]Event, error) {
	var r record
	if err := strict(data, &r); err != nil {
		return nil, fmt.Errorf("journal record: %w", err)
	}
	if r.V != formatVersion {
		return nil, fmt.Errorf("journal record: version %d, and this program reads %d", r.V, formatVersion)
	}
	events := make([]Event, 0, len(r.Events))
	for i, e := range r.Events {
		body, err := decodeBody(e.Type, e.Data)
		if err == nil {
			err = checkTime(e.At)
		}
		if err != nil {
			return nil, fmt.Errorf("journal record: event %d (%q): %w", i, e.Type, err)
		}
		events = append(events, Event{At: e.At.UTC(), Body: body})
	}
	return events, nil
}

// checkTime refuses times that cannot be told in nanoseconds.
func checkTime(t time.Time) error {
	if t.Year() < 1970 || t.Year() > 2261 {
		return fmt.Errorf("time %s is not within 1970 to 2261", t.Format(time.RFC3339))
	}
	return nil
}

// strict decodes JSON that must hold nothing unknown and nothing more.
func strict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("it is empty")
		}
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("there is more after it, at byte %d", dec.InputOffset())
	}
	return nil
}

func decodeBody(name string, data json.RawMessage) (Body, error) {
	if len(data) == 0 || data[0] != '{' {
		return nil, errors.New("data must be an object")
	}
	decode := decoder(name)
	if decode == nil {
		return nil, errors.New("unknown type")
	}
	body, err := decode(data)
	if err != nil {
		return nil, err
	}
	return body, checkBody(body)
}

// checkBody refuses what would hurt arithmetic.
func checkBody(b Body) error {
	switch b := b.(type) {
	case PoolOpened:
		return b.Policy.Validate()
	case PolicySet:
		return b.Policy.Validate()
	case HostConnected:
		return b.Facts.Validate()
	case Enqueued:
		return checkKey(b.Key)
	case EntryMoved:
		return checkKey(b.Key)
	case OfferLapsed:
		return checkKey(b.Key)
	case SessionEnded:
		return checkKey(b.Key)
	case CostsLearned:
		return b.check()
	}
	return nil
}

func (b CostsLearned) check() error {
	for _, name := range slices.Sorted(maps.Keys(b.Apps)) {
		if err := b.Apps[name].check(); err != nil {
			return fmt.Errorf("app %q: %w", name, err)
		}
	}
	return checkMargin(b.Margin)
}

func (l Learned) check() error {
	for _, c := range []Cost{l.Mean, l.Spread, l.Swing, l.Unsure} {
		for _, r := range elastics {
			if !amount(c.of(r)) {
				return fmt.Errorf("%v is no cost", c.of(r))
			}
		}
	}
	if !amount(l.Weight) {
		return fmt.Errorf("%v is no weight", l.Weight)
	}
	if len(l.Ramp) > rampSteps {
		return fmt.Errorf("a ramp of %d points: at most %d are expected", len(l.Ramp), rampSteps)
	}
	for _, x := range l.Ramp {
		if !(x >= 0 && x <= 1) {
			return fmt.Errorf("a ramp with %v in it: 0 to 1 is expected", x)
		}
	}
	return nil
}

func checkMargin(z float64) error {
	if !(z >= 0 && z <= marginMost) {
		return fmt.Errorf("a margin of %v: 0 to %v is expected", z, marginMost)
	}
	return nil
}

func checkKey(k int64) error {
	const most = int64(1) << 60
	if k < -most || k > most {
		return fmt.Errorf("key %d is out of range", k)
	}
	return nil
}

func as[T Body](data json.RawMessage) (Body, error) {
	var body T
	err := strict(data, &body)
	return body, err
}

// decoder knows every type of event by its name.
func decoder(name string) func(json.RawMessage) (Body, error) {
	for _, part := range []func(string) func(json.RawMessage) (Body, error){
		poolDecoder, placeDecoder, sessionDecoder, viewDecoder,
	} {
		if decode := part(name); decode != nil {
			return decode
		}
	}
	return nil
}

func poolDecoder(name string) func(json.RawMessage) (Body, error) {
	switch name {
	case PoolOpened{}.eventName():
		return as[PoolOpened]
	case PolicySet{}.eventName():
		return as[PolicySet]
	case Paused{}.eventName():
		return as[Paused]
	case Unpaused{}.eventName():
		return as[Unpaused]
	case Recovered{}.eventName():
		return as[Recovered]
	case CostsLearned{}.eventName():
		return as[CostsLearned]
	case HostConnected{}.eventName():
		return as[HostConnected]
	case HostDisconnected{}.eventName():
		return as[HostDisconnected]
	case HostLost{}.eventName():
		return as[HostLost]
	case HostDrained{}.eventName():
		return as[HostDrained]
	case HostUndrained{}.eventName():
		return as[HostUndrained]
	}
	return nil
}

func placeDecoder(name string) func(json.RawMessage) (Body, error) {
	switch name {
	case Enqueued{}.eventName():
		return as[Enqueued]
	case Resumed{}.eventName():
		return as[Resumed]
	case Disconnected{}.eventName():
		return as[Disconnected]
	case EntryLeft{}.eventName():
		return as[EntryLeft]
	case EntryMoved{}.eventName():
		return as[EntryMoved]
	case WishSet{}.eventName():
		return as[WishSet]
	case Offered{}.eventName():
		return as[Offered]
	case OfferLapsed{}.eventName():
		return as[OfferLapsed]
	case OfferAccepted{}.eventName():
		return as[OfferAccepted]
	case Admitted{}.eventName():
		return as[Admitted]
	}
	return nil
}

func sessionDecoder(name string) func(json.RawMessage) (Body, error) {
	switch name {
	case SessionStarting{}.eventName():
		return as[SessionStarting]
	case SessionPending{}.eventName():
		return as[SessionPending]
	case SessionReady{}.eventName():
		return as[SessionReady]
	case SessionConnected{}.eventName():
		return as[SessionConnected]
	case SessionDropped{}.eventName():
		return as[SessionDropped]
	case SessionMoved{}.eventName():
		return as[SessionMoved]
	case EndingSoon{}.eventName():
		return as[EndingSoon]
	case SessionEnded{}.eventName():
		return as[SessionEnded]
	case SessionReleased{}.eventName():
		return as[SessionReleased]
	case SharingSet{}.eventName():
		return as[SharingSet]
	}
	return nil
}

func viewDecoder(name string) func(json.RawMessage) (Body, error) {
	switch name {
	case ViewStarted{}.eventName():
		return as[ViewStarted]
	case ViewRated{}.eventName():
		return as[ViewRated]
	case ViewEnded{}.eventName():
		return as[ViewEnded]
	}
	return nil
}
