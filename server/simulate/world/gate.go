package world

// Gate decides who is seated. The world calls it with what people and hosts
// say, and it answers through the [Orders] that it was made with. Orders take
// effect after the call has returned.
type Gate interface {
	Join(now float64, p *Person)
	Leave(now float64, p *Person) // gives up place, seat, all
	Accept(now float64, p *Person)
	Gone(now float64, p *Person) // the connection is lost
	Back(now float64, p *Person)
	HostUp(now float64, host int)
	HostDown(now float64, host int)
	Report(now float64, r Report)
	Sample(now float64, s *Sample)
	Tick(now float64)
	Next() float64 // when it wants a Tick; Never if it does not
	// Admits says whether the gate would seat the next of the app on the host now.
	Admits(now float64, host, app int) bool
	// Place is where the person waits and what they are told.
	Place(now float64, p *Person) (Place, bool)
}

// Place is a place in the queue, with the wait as it is told.
type Place struct {
	Position   int
	P50S, P90S float64
	Known      bool // of the wait
}

// State is what a host says of a session.
type State int

// The states.
const (
	Ready State = iota
	Connected
	Dropped
	Ended
)

// Report is a host's word on the session of a person.
type Report struct {
	Host   int
	Person *Person
	State  State
}

// Orders is what a gate tells the world.
type Orders interface {
	Offer(p *Person, host, gpu int, until float64) // a seat is reserved for the person
	Withdraw(p *Person)                            // the offer is over; the person waits on
	Grant(p *Person, host, gpu int)                // the seat is theirs
	Start(p *Person)                               // on the host of the grant
	Stop(p *Person)                                // the session is over
	Move(p *Person, host, gpu int)                 // the seat is on another host now
	Free(p *Person)                                // nothing of the seat is left
	Requeue(p *Person)                             // the session is over and the person waits again
	Left(p *Person)                                // the person waits no more
}

// Sample is one reading of a host, as it arrives.
type Sample struct {
	Host      int
	Seq       uint64
	WindowEnd float64
	WindowS   float64
	PeriodS   float64
	CPU       float64
	GPU       []float64 // by device
	Encoder   []float64
	EgressBps float64
	Seats     []SeatSample // nil where sessions are not seen by themselves
}

// SeatSample is what one session was seen to use, as fractions of its host.
type SeatSample struct {
	Person            *Person
	CPU, GPU, Encoder float64
}
