package admission

import "time"

// Pool is one pool as one value. It is not safe for concurrent use.
type Pool struct{}

// New returns an empty pool, to which a journal's events are applied; the
// first is a PoolOpened.
func New() *Pool { return &Pool{} }

// Decide says what the command leads to. It changes nothing.
func (p *Pool) Decide(now time.Time, c Command) ([]Event, Outcome) { panic("not yet") }

// Apply changes the pool by an event.
func (p *Pool) Apply(e Event) { panic("not yet") }

// Run decides and applies the command, then what has become due by it, until
// nothing is left to do. It returns all events in order.
func (p *Pool) Run(now time.Time, c Command) ([]Event, Outcome) { panic("not yet") }

// Observe takes a sample. An error says which value is impossible; the sample
// is dropped then.
func (p *Pool) Observe(now time.Time, s Sample) error { panic("not yet") }

// NextDeadline is when the pool wants a Tick; zero means never.
func (p *Pool) NextDeadline() time.Time { panic("not yet") }

// Snapshot writes the journalled state in a stable form: equal pools give equal bytes.
func (p *Pool) Snapshot() ([]byte, error) { panic("not yet") }

// Restore reads a snapshot.
func Restore(data []byte) (*Pool, error) { panic("not yet") }

// EncodeEvents and DecodeEvents turn one journal record to and from JSON.
func EncodeEvents(events []Event) ([]byte, error) { panic("not yet") }
func DecodeEvents(record []byte) ([]Event, error) { panic("not yet") }

func (p *Pool) Policy() Policy                                 { panic("not yet") }
func (p *Pool) View() PoolView                                 { panic("not yet") }
func (p *Pool) Client(id string) (ClientView, bool)            { panic("not yet") }
func (p *Pool) Entry(id string) (EntryView, bool)              { panic("not yet") }
func (p *Pool) Session(id string) (SessionView, bool)          { panic("not yet") }
func (p *Pool) Host(now time.Time, id string) (HostView, bool) { panic("not yet") }
func (p *Pool) Hosts(now time.Time) []HostView                 { panic("not yet") }

// Sessions and Queue list in a stable order, from after the given id, at most
// limit; Queue in the order in which people are served.
func (p *Pool) Sessions(after string, limit int) []SessionView { panic("not yet") }
func (p *Pool) Queue(after string, limit int) []EntryView      { panic("not yet") }

// EachWaiting calls f for every waiting entry in order with its position, the
// length of its queue and its wait (nil while unknown), cheaply: a million take
// less than 100 ms.
func (p *Pool) EachWaiting(f func(entry, client string, position, length int, wait *Wait)) {
	panic("not yet")
}

// BlockedBy is what the next of an app and intent waits for, nil if nothing does.
func (p *Pool) BlockedBy(now time.Time, app string, intent Intent) *Block { panic("not yet") }

// Explain says for each host and resource why the next player of the app would
// or would not get in. An empty app means the only, or the first by name.
func (p *Pool) Explain(now time.Time, app string) Explanation { panic("not yet") }

// Watchable lists sessions that a newcomer may look on at now, fewest watchers first.
func (p *Pool) Watchable(app string, limit int) []SessionView { panic("not yet") }
