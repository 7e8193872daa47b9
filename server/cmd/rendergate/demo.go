package main

import (
	"context"
	"errors"
	"os"

	"github.com/mattn/go-isatty"

	"github.com/rendergate/rendergate/deploy/demo"
	"github.com/rendergate/rendergate/deploy/demo/scene"
)

type demoCommand struct {
	Listen string  `help:"Address to listen on; loopback unless told otherwise." default:"127.0.0.1:8080"`
	Data   string  `help:"Folder to keep everything in, to go on from later; none means a temporary one." type:"path"`
	JSON   bool    `name:"json" help:"Print one line of JSON when ready."`
	Share  float64 `help:"Cores that sessions are counted against; 0 means half of the machine's, at least one." default:"0"`
	Seats  int     `help:"Seats as if calibrated; 0 means that load alone decides." default:"0"`
	Uplink string  `help:"Budget of the uplink." default:"240 Mbit/s"`
	Record string  `help:"Folder to record traces of service and probe into." type:"path" placeholder:"DIR"`
}

// Run runs the demo until it is told to stop.
func (d demoCommand) Run(ctx context.Context) error {
	log := logger("info", "auto", os.Stderr, isatty.IsTerminal(os.Stderr.Fd()))
	err := demo.Run(ctx, demo.Options{
		Listen: d.Listen, DataDir: d.Data, JSON: d.JSON, Share: d.Share, Seats: d.Seats, Uplink: d.Uplink, Record: d.Record,
		Out: os.Stdout, Err: os.Stderr, Log: log,
	})
	var usage *demo.UsageError
	if errors.As(err, &usage) {
		return usageError{err}
	}
	return err
}

type sceneCommand struct {
	Listen     string  `help:"Address on loopback." required:""`
	Session    string  `help:"The session's id, shown in the picture."`
	Width      int     `default:"640"`
	Height     int     `default:"360"`
	FPS        float64 `name:"fps" default:"20"`
	Detail     float64 `help:"How much there is to draw, above 0 to 4." default:"1"`
	BitrateBps float64 `name:"bitrate-bps" help:"The most that one stream may take." default:"4000000"`
}

// Run renders one session.
func (s sceneCommand) Run(ctx context.Context) error {
	return scene.Run(ctx, scene.Options{
		Listen: s.Listen, Session: s.Session, Width: s.Width, Height: s.Height, FPS: s.FPS, Detail: s.Detail,
		BitrateBps: s.BitrateBps, Log: logger("info", "json", os.Stderr, false),
	})
}
