package launcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"time"
)

// State of a session's processes.
type State string

// States. A session is listed as stopping until no process of it is left.
const (
	StateStarting State = "starting"
	StateReady    State = "ready"
	StateStopping State = "stopping"
	StateEnded    State = "ended"
)

// Errors of [Launcher.Start] that a caller tells apart.
var (
	// ErrEnded says that this attempt, or a later one, has run and ended.
	ErrEnded = errors.New("this attempt has ended already")
	// ErrClosing says that the launcher takes no more sessions.
	ErrClosing = errors.New("the probe is stopping")
)

// Options of a launcher. Apps, Notify and Log are needed.
type Options struct {
	Apps   map[string]App
	Ports  PortRange // zero means DefaultPorts
	Cgroup string    // folder in which to make cgroups; empty: this process's own; "none": none
	// Guard is a command that calls [Guard] with the arguments it is given at
	// the end; empty: what a session's command started may outlive a probe
	// that is killed.
	Guard []string
	// Notify hears of starting, ready and ended, in order for each session. It
	// is called on goroutines of the launcher and must not block for long.
	Notify func(Change)
	// Output hears every line that sessions print, bounded in length; nil: they
	// go to the log alone. It is called on goroutines of the launcher.
	Output func(session, line string)
	// Scratch is a folder that is removed when the launcher has ended, by the
	// guard: also where this process is killed. Empty: none.
	Scratch string
	Log     *slog.Logger
}

// Change is a new state of a session.
type Change struct {
	Session string
	Attempt int
	State   State
	Reason  string // why it ended
}

// Order says what to start.
type Order struct {
	Session    string
	App        string
	Copy       int // its number among the sessions here; 0: the lowest that is free
	GPU        int // index, -1 for none
	BitrateBps int64
	Attempt    int // counts from 1; a higher one than runs replaces it
}

// Running is one session as it runs now.
type Running struct {
	ID       string
	App      string
	Attempt  int
	State    State
	RootPID  int    // 0 before its process exists
	Cgroup   string // folder of its own cgroup, empty without
	GPU      int
	Port     int
	Upstream *url.URL // nil before its process exists
	Publish  string   // where it publishes its stream, empty for nowhere
}

// Launcher runs sessions. Make it with [New] and run it with [Launcher.Run].
type Launcher struct {
	o      Options
	ports  *ports
	system *system

	spawns  chan spawn
	opened  chan struct{} // closed when Run is ready to start processes
	closing chan struct{} // closed when it no longer is
	active  sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	sessions map[string]*session
	numbers  map[int]bool // of copies, that sessions have
	ended    ledger
}

// New checks the options and makes a launcher that runs nothing yet.
func New(o Options) (*Launcher, error) {
	if o.Notify == nil || o.Log == nil {
		return nil, errors.New("launcher: Notify and Log are needed")
	}
	for name, app := range o.Apps {
		if len(app.Command) == 0 {
			return nil, fmt.Errorf("launcher: app %s has no command", name)
		}
	}
	return &Launcher{
		o: o, ports: newPorts(o.Ports), system: newSystem(o),
		spawns: make(chan spawn), opened: make(chan struct{}), closing: make(chan struct{}),
		sessions: map[string]*session{}, numbers: map[int]bool{},
	}, nil
}

// spawn asks the one thread that starts processes for one.
type spawn struct {
	start func() error
	done  chan error
}

// Run starts processes as ordered until ctx ends; then it ends every session
// and returns when none is left. All processes are started from this
// goroutine's thread, which it holds as long as it runs: the kernel ends a
// child with PDEATHSIG when the *thread* that made it ends.
func (l *Launcher) Run(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := l.system.open(); err != nil {
		l.close()
		return fmt.Errorf("launcher: %w", err)
	}
	close(l.opened)
	done := make(chan struct{})
	go func() { defer close(done); l.system.reap(l.closing) }()
	for ctx.Err() == nil {
		select {
		case s := <-l.spawns:
			s.done <- s.start()
		case <-ctx.Done():
		}
	}
	l.close()
	<-done
	l.system.close()
	return nil
}

// lendNumber gives a session its number of a copy, until giveNumberBack.
func (l *Launcher) lendNumber(wanted int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := max(1, wanted)
	for wanted == 0 && l.numbers[n] {
		n++
	}
	l.numbers[n] = true
	return n
}

func (l *Launcher) giveNumberBack(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.numbers, n)
}

// close ends all sessions and waits for them.
func (l *Launcher) close() {
	l.mu.Lock()
	l.closed = true
	for _, s := range l.sessions {
		s.stop(ErrClosing)
	}
	l.mu.Unlock()
	close(l.closing)
	l.active.Wait()
}

// start asks the starting thread to start a command.
func (l *Launcher) start(ctx context.Context, command func() error) error {
	s := spawn{start: command, done: make(chan error, 1)}
	select {
	case l.spawns <- s:
		return <-s.done
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.closing:
		return ErrClosing
	}
}

var sessionID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$`)

// maxSessionID bounds a session's id, in bytes.
const maxSessionID = 128

// ValidSession says whether the text can be a session's id. Ids stand in
// paths, arguments and environments, so they hold nothing that means more there.
func ValidSession(id string) bool { return len(id) <= maxSessionID && sessionID.MatchString(id) }

// Start begins a session and returns at once; [Options.Notify] hears of the
// rest. The same attempt again changes nothing; a higher one ends the older,
// of which then nobody hears, and takes its place.
func (l *Launcher) Start(o Order) error {
	app, ok := l.o.Apps[o.App]
	switch {
	case !ValidSession(o.Session):
		return fmt.Errorf("session %.40q: want letters, digits, '-', '_' and single dots", o.Session)
	case !ok:
		return fmt.Errorf("no app %.40q on this host", o.App)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.sessions[o.Session]
	switch {
	case l.closed:
		return ErrClosing
	case o.Attempt <= l.ended.attempt(o.Session):
		return ErrEnded
	case old != nil && o.Attempt <= old.order.Attempt:
		return nil
	}
	if old != nil {
		old.replaced = true
		old.stop(errors.New("started anew"))
	}
	s := newSession(o, app)
	l.sessions[o.Session] = s
	l.active.Add(1)
	go l.live(s, old)
	return nil
}

// Stop ends a session and its whole process tree. It says whether there was one.
func (l *Launcher) Stop(id, reason string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sessions[id]
	if s == nil {
		return false
	}
	s.stop(stopped(reason))
	return true
}

// stopped is a stop that somebody asked for.
type stopped string

func (s stopped) Error() string { return string(s) }

// Running lists the sessions that have processes, or are about to, by id.
func (l *Launcher) Running() []Running {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Running, 0, len(l.sessions))
	for _, s := range l.sessions {
		all = append(all, s.shown())
	}
	slices.SortFunc(all, func(a, b Running) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Session gives one session, if it runs.
func (l *Launcher) Session(id string) (Running, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.sessions[id]; s != nil {
		return s.shown(), true
	}
	return Running{}, false
}

// Cgroup is the folder under which every session has its cgroup; empty where
// there is none. It is known once Run has begun.
func (l *Launcher) Cgroup() string { return l.system.cgroup() }

// ledger remembers the newest attempt that ended, for as many sessions as a
// host sees in a day: a start that was given again then starts nothing.
type ledger struct {
	attempts map[string]int
	order    []string
}

const maxLedger = 4096

func (l *ledger) attempt(session string) int { return l.attempts[session] }

func (l *ledger) note(session string, attempt int) {
	if l.attempts == nil {
		l.attempts = map[string]int{}
	}
	if _, there := l.attempts[session]; !there {
		l.order = append(l.order, session)
	}
	l.attempts[session] = max(attempt, l.attempts[session])
	if len(l.order) > maxLedger {
		delete(l.attempts, l.order[0])
		l.order = l.order[1:]
	}
}

// outputDrain is how long the last output may take to arrive once no process
// is left to write any.
const outputDrain = time.Second
