package play

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/rendergate/rendergate/admission"
)

// errNotJSON says that a frame is not a JSON object with a type.
var errNotJSON = errors.New("the frame is not understood; want a JSON object with a type that is a text")

// Decode reads a message of a client: one of the types [Join], [Answer],
// [TicketRequest], [WatchRequest], [SetSharing], [Report] and [Leave]. Unknown
// fields are left out, since newer clients may send more.
func Decode(frame []byte) (any, error) {
	var head struct {
		Type *string `json:"type"`
	}
	if err := json.Unmarshal(frame, &head); err != nil || head.Type == nil {
		return nil, errNotJSON
	}
	switch *head.Type {
	case "join":
		return checked(frame, func(m Join) error { return m.check() })
	case "accept", "decline":
		return checked(frame, func(m Answer) error { return need("offer", m.Offer) })
	case "ticket":
		return checked(frame, func(m TicketRequest) error { return need("session", m.Session) })
	case "watch", "unwatch":
		return checked(frame, func(WatchRequest) error { return nil })
	case "sharing":
		return checked(frame, func(m SetSharing) error { return m.check() })
	case "report":
		return report(frame)
	case "leave":
		return checked(frame, func(Leave) error { return nil })
	}
	return nil, fmt.Errorf("type is %.40q; want join, accept, decline, ticket, watch, unwatch, sharing, report or leave", *head.Type)
}

func checked[T any](frame []byte, check func(T) error) (any, error) {
	var m T
	if err := json.Unmarshal(frame, &m); err != nil {
		return nil, wrongType(err)
	}
	if err := check(m); err != nil {
		return nil, err
	}
	return m, nil
}

func wrongType(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s is a %s; want a %s", e.Field, e.Value, e.Type.Kind())
	}
	return errNotJSON
}

func need(name, value string) error {
	if value == "" {
		return fmt.Errorf("%s is missing; want a text", name)
	}
	return nil
}

func (m Join) check() error {
	if m.Intent != admission.Play && m.Intent != admission.View {
		return fmt.Errorf("intent is %.40q; want play or watch", m.Intent)
	}
	return nil
}

func (m SetSharing) check() error {
	switch m.Mode {
	case "open", "ask", "closed":
		return need("session", m.Session)
	}
	return fmt.Errorf("mode is %.40q; want open, ask or closed", m.Mode)
}

// report needs all its numbers, which must not be negative.
func report(frame []byte) (any, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(frame, &fields); err != nil {
		return nil, errNotJSON
	}
	for _, name := range []string{"fps", "rtt_ms", "bitrate_bps", "frames_dropped"} {
		var value *float64
		raw, there := fields[name]
		if !there || json.Unmarshal(raw, &value) != nil || value == nil || *value < 0 || math.IsInf(*value, 0) {
			return nil, fmt.Errorf("%s is missing or wrong; want a number of 0 or more", name)
		}
	}
	return checked(frame, func(Report) error { return nil })
}
