package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
	"github.com/shirou/gopsutil/v3/process"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/probe/tether"
)

// How a copy is measured.
const (
	warmUp     = 700 * time.Millisecond
	measureFor = 2 * time.Second
	measureMax = 15 * time.Second
	// doubt is how far the cost of a copy may be off, of the cost: it was measured
	// here, though only for a moment.
	doubt = 0.05
)

// measure runs one copy of the scene with somebody who looks on, since it
// encodes only then, and reads what it uses.
func measure(ctx context.Context, program string) (admission.Cost, error) {
	ctx, cancel := context.WithTimeout(ctx, measureMax)
	defer cancel()
	port, err := freePort(ctx, "127.0.0.1", 0)
	if err != nil {
		return admission.Cost{}, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	command := exec.CommandContext(ctx, program, "demo-scene", "--listen", address, "--session", "measure") //nolint:gosec // our own program
	scene := tether.Start(command)
	if err := <-scene.Started; err != nil {
		return admission.Cost{}, err
	}
	defer func() { cancel(); <-scene.Ended }()
	player, err := dial(ctx, "ws://"+address+"/stream")
	if err != nil {
		return admission.Cost{}, err
	}
	defer player.Close()
	go func() { // reads until the connection is closed
		for {
			if _, _, err := player.ReadMessage(); err != nil {
				return
			}
		}
	}()
	return readUse(ctx, command.Process.Pid)
}

// dial waits until the scene listens.
func dial(ctx context.Context, url string) (*websocket.Conn, error) {
	for {
		conn, answer, err := websocket.DefaultDialer.DialContext(ctx, url, nil)
		if answer != nil && answer.Body != nil {
			_ = answer.Body.Close()
		}
		if err == nil {
			return conn, nil
		}
		if !pause(ctx, 50*time.Millisecond) {
			return nil, fmt.Errorf("the scene did not listen: %w", err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func readUse(ctx context.Context, pid int) (admission.Cost, error) {
	p, err := process.NewProcessWithContext(ctx, int32(pid)) //nolint:gosec // a pid fits
	if err != nil {
		return admission.Cost{}, err
	}
	if !pause(ctx, warmUp) {
		return admission.Cost{}, ctx.Err()
	}
	before, err := p.TimesWithContext(ctx)
	if err != nil {
		return admission.Cost{}, err
	}
	began := time.Now()
	if !pause(ctx, measureFor) {
		return admission.Cost{}, ctx.Err()
	}
	after, err := p.TimesWithContext(ctx)
	if err != nil {
		return admission.Cost{}, err
	}
	memory, err := p.MemoryInfoWithContext(ctx)
	if err != nil {
		return admission.Cost{}, err
	}
	cores := (after.User + after.System - before.User - before.System) / time.Since(began).Seconds()
	if cores <= 0 {
		return admission.Cost{}, errors.New("the scene used no CPU time at all")
	}
	return admission.Cost{CPUCores: float64(int(cores*1000+0.5)) / 1000, MemoryBytes: float64(memory.RSS >> 20 << 20)}, nil
}
