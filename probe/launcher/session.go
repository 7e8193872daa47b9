package launcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"time"
)

// session is one attempt to run an application for somebody. Its fields but
// ctx and stop are guarded by the launcher's mutex.
type session struct {
	order    Order
	app      App
	ctx      context.Context // its end is the order to stop
	stop     context.CancelCauseFunc
	done     chan struct{} // closed when no process is left
	replaced bool          // by a later attempt: nobody is told of its end
	state    State
	pid      int
	cgroup   string
	port     int
	upstream *url.URL
	publish  string
}

func newSession(o Order, app App) *session {
	ctx, stop := context.WithCancelCause(context.Background())
	return &session{order: o, app: app, ctx: ctx, stop: stop, done: make(chan struct{}), state: StateStarting}
}

func (s *session) shown() Running {
	state := s.state
	if s.ctx.Err() != nil {
		state = StateStopping
	}
	return Running{
		ID: s.order.Session, App: s.order.App, Attempt: s.order.Attempt, State: state, RootPID: s.pid,
		Cgroup: s.cgroup, GPU: s.order.GPU, Port: s.port, Upstream: s.upstream, Publish: s.publish,
	}
}

// live runs a session from its start to its end, after the one it replaces.
func (l *Launcher) live(s, old *session) {
	defer l.active.Done()
	if old != nil {
		<-old.done
	}
	log := l.o.Log.With("session", s.order.Session, "app", s.order.App, "attempt", s.order.Attempt)
	why := l.play(s, log)
	l.finish(s, why)
	log.Info("session ended", "reason", why)
	close(s.done)
}

// finish forgets a session whose processes are gone.
func (l *Launcher) finish(s *session, why error) {
	l.mu.Lock()
	s.stop(why)
	l.ended.note(s.order.Session, s.order.Attempt)
	tell := !s.replaced
	if tell {
		delete(l.sessions, s.order.Session)
	}
	l.mu.Unlock()
	if tell {
		l.o.Notify(Change{Session: s.order.Session, Attempt: s.order.Attempt, State: StateEnded, Reason: why.Error()})
	}
}

// play runs a session's process tree and returns why it ended.
func (l *Launcher) play(s *session, log *slog.Logger) error {
	select {
	case <-l.opened:
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
	list, err := l.ports.lend(s.ctx, max(1, s.app.Ports))
	if err != nil {
		return err
	}
	defer l.ports.giveBack(list)
	number := l.lendNumber(s.order.Copy)
	defer l.giveNumberBack(number)
	p, err := s.app.expand(Values{
		Session: s.order.Session, App: s.order.App, Copy: number, GPU: s.order.GPU,
		Port: list[0], Ports: list, BitrateBps: s.order.BitrateBps,
	})
	if err != nil {
		return err
	}
	run, err := l.begin(s, p, log)
	if err != nil {
		return fmt.Errorf("the application could not be started: %w", err)
	}
	why := l.watch(s, run)
	var gone *exited
	byItself := errors.As(why, &gone)
	left := byItself && run.group.left()
	l.end(s, run)
	switch {
	case left && run.cmd.ProcessState.Success():
		return errors.New("the application's command ended and left processes running: it went to the background, where it cannot be watched; give it the option that keeps it in the foreground")
	case byItself:
		return fmt.Errorf("the application ended by itself: %v", run.cmd.ProcessState)
	}
	return why
}

// run is a started command with what belongs to it.
type run struct {
	plan   plan
	cmd    *exec.Cmd
	group  group
	output *output
	pipe   *os.File      // read end of its output
	copied chan struct{} // closed when all output was read
	log    *slog.Logger
}

// begin starts a session's command.
func (l *Launcher) begin(s *session, p plan, log *slog.Logger) (*run, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	r := &run{plan: p, output: newOutput(log, p.ready.line, l.hear(s)), pipe: read, copied: make(chan struct{}), log: log}
	r.cmd = command(p, l.system.mark)
	r.cmd.Stdout, r.cmd.Stderr = write, write
	r.group = l.system.prepare(r.cmd, s.order)
	err = l.start(s.ctx, r.group.start)
	r.group.started(err)
	if closing := write.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, errors.Join(err, read.Close())
	}
	go func() { defer close(r.copied); r.output.copy(read) }()
	l.note(s, r)
	log.Info("session starting", "pid", r.cmd.Process.Pid, "port", p.values.Port, "gpu", s.order.GPU)
	l.o.Notify(Change{Session: s.order.Session, Attempt: s.order.Attempt, State: StateStarting})
	return r, nil
}

// hear gives what hears the session's lines.
func (l *Launcher) hear(s *session) func(string) {
	if l.o.Output == nil {
		return func(string) {}
	}
	return func(line string) { l.o.Output(s.order.Session, line) }
}

// command is not bound to a context: what ends it is the end of its tree.
func command(p plan, mark string) *exec.Cmd {
	cmd := exec.Command(p.args[0], p.args[1:]...) // the operator's config says what to run
	cmd.Dir, cmd.Env = p.dir, p.environ(mark)
	return cmd
}

func (l *Launcher) note(s *session, r *run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.pid, s.cgroup, s.port = r.cmd.Process.Pid, r.group.dir(), r.plan.values.Port
	s.upstream, s.publish = r.plan.upstream, r.plan.publish
}

// exited is why a session ends whose command has ended.
type exited struct{}

func (*exited) Error() string { return "the application ended" }

// watch waits until the session is ready, then until it is to end, and says why.
func (l *Launcher) watch(s *session, r *run) error {
	ctx, gone := context.WithCancelCause(s.ctx)
	defer gone(nil)
	go func() { r.group.await(); gone(&exited{}) }()
	began := time.Now()
	if err := r.plan.ready.wait(ctx, r.output.matched); err != nil {
		return err
	}
	l.mu.Lock()
	s.state = StateReady
	l.mu.Unlock()
	r.log.Info("session ready", "after", time.Since(began).Round(time.Millisecond))
	l.o.Notify(Change{Session: s.order.Session, Attempt: s.order.Attempt, State: StateReady})
	<-ctx.Done()
	return context.Cause(ctx)
}

// end ends the tree, then takes in its last output.
func (l *Launcher) end(s *session, r *run) {
	l.mu.Lock()
	s.stop(errors.New("ending"))
	l.mu.Unlock()
	r.group.end(r.plan.stop, r.log)
	// A stranger may hold the pipe's other end: do not wait for it for ever.
	if err := r.pipe.SetReadDeadline(time.Now().Add(outputDrain)); err != nil {
		r.log.Debug("output", "err", err)
	}
	<-r.copied
	if err := r.pipe.Close(); err != nil {
		r.log.Debug("output", "err", err)
	}
}
