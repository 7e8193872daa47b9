// Package scene is the demo's render application: a real program, one process
// for each session. It draws an animated world in software at a set size and
// frame rate, takes input from its player, and streams its pictures as JPEG to
// the player's page and, once, to the publisher for spectators. It has no idea
// of seats or tickets: whoever reaches its port is its player, so it listens on
// loopback only and the gate stands in front.
package scene

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"net"
	"time"

	"github.com/rendergate/rendergate/deploy/demo/scene/showroom"
)

// Options of a scene. Zero values mean the defaults; Log is needed.
type Options struct {
	Listen     string  // loopback address and port
	Width      int     // pixels, even, 160 to 1920; 640
	Height     int     // pixels, even, 90 to 1080; 360
	FPS        float64 // frames a second at most, 1 to 60; 20
	Detail     float64 // how much there is to draw, above 0 to 4; 1
	BitrateBps float64 // the most a stream takes, bits a second; 4 million
	Session    string  // shown in the picture
	Log        *slog.Logger
	// Listening, if set, hears of the address once it is open.
	Listening func(net.Addr)
}

// Defaults of a scene.
const (
	DefaultWidth      = 640
	DefaultHeight     = 360
	DefaultFPS        = 20
	DefaultDetail     = 1
	DefaultBitrateBps = 4e6
	MaxDetail         = 4
)

func (o *Options) check() error {
	o.Width, o.Height = cmp.Or(o.Width, DefaultWidth), cmp.Or(o.Height, DefaultHeight)
	o.FPS, o.Detail = cmp.Or(o.FPS, DefaultFPS), cmp.Or(o.Detail, DefaultDetail)
	o.BitrateBps = cmp.Or(o.BitrateBps, DefaultBitrateBps)
	switch {
	case o.Log == nil:
		return errors.New("scene: Log is needed")
	case o.Width < 160 || o.Width > 1920 || o.Width%2 != 0:
		return fmt.Errorf("width: want an even number of pixels from 160 to 1920, got %d", o.Width)
	case o.Height < 90 || o.Height > 1080 || o.Height%2 != 0:
		return fmt.Errorf("height: want an even number of pixels from 90 to 1080, got %d", o.Height)
	case !(o.FPS >= 1 && o.FPS <= 60):
		return fmt.Errorf("fps: want 1 to 60 frames a second, got %v", o.FPS)
	case !(o.Detail > 0 && o.Detail <= MaxDetail):
		return fmt.Errorf("detail: want more than 0 and at most %d, got %v", MaxDetail, o.Detail)
	case !(o.BitrateBps >= 100e3 && o.BitrateBps <= 1e9):
		return fmt.Errorf("bitrate: want 100 kbit/s to 1 Gbit/s, got %v bit/s", o.BitrateBps)
	}
	return checkLoopback(o.Listen)
}

// checkLoopback keeps the scene off the network: nobody but the gate asks who
// comes.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf(`listen: want an address such as "127.0.0.1:20000", got %q`, addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("listen: want an address on loopback, got %q: nothing here checks who comes; that is the gate's work", addr)
	}
	return nil
}

// Run is the scene until ctx ends. It returns once nobody is connected any more.
func Run(ctx context.Context, o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("scene: %w", err)
	}
	s := newScene(o)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		defer stop()
		served <- s.serve(ctx, listener)
	}()
	if o.Listening != nil {
		o.Listening(listener.Addr())
	}
	o.Log.Info("scene running", "session", o.Session, "addr", listener.Addr().String(), "size", fmt.Sprintf("%dx%d", o.Width, o.Height), "fps", o.FPS, "detail", o.Detail)
	s.render(ctx)
	return <-served
}

// scene is one running scene.
type scene struct {
	o     Options
	inbox *inbox
	hub   *hub
	show  *showroom.Show
	stage stage
	coder *coder
	meter meter
	board board
}

func newScene(o Options) *scene {
	return &scene{
		o: o, inbox: &inbox{}, hub: newHub(o), show: showroom.New(o.Width, o.Height),
		stage: newStage(o.Detail, float64(o.Width)/float64(o.Height)), coder: newCoder(o.BitrateBps, o.FPS),
	}
}

// render draws frames at the set rate, whether anybody looks or not, as real
// applications do. A frame that takes too long makes the next one late; what is
// missed is not made up for.
func (s *scene) render(ctx context.Context) {
	period := time.Duration(float64(time.Second) / s.o.FPS)
	tick := time.NewTicker(period)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.frame(time.Now(), began)
		}
	}
}

// frame draws one picture and gives it to those who look and have room for it.
func (s *scene) frame(now, began time.Time) {
	s.stage.step(now.Sub(began).Seconds(), s.inbox.take())
	view := s.stage.view()
	view.Lines = s.board.write(boardLine{session: s.o.Session, now: now, meter: s.meter.shown, level: s.stage.level})
	picture, cost := s.show.Draw(view)
	drawn := time.Now()
	s.send(now, picture)
	s.meter.frame(frameTimes{at: now, drawn: drawn.Sub(now), coded: time.Since(drawn), cost: cost})
	if s.meter.due(now) {
		s.hub.tell(s.meter.publish(now, s.stage.level, s.coder.quality))
	}
}

// send encodes the picture once for those who look and have room for it.
func (s *scene) send(now time.Time, picture *image.RGBA) {
	to := s.hub.waiting()
	if len(to) == 0 {
		return
	}
	if s.coder.may(now) {
		give(to, s.coder.encode(picture))
		return
	}
	for _, v := range to {
		v.flight.skip()
	}
}
