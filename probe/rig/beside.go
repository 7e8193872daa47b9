package rig

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v3/mem"

	"github.com/rendergate/rendergate/probe/calibrate"
)

// beside reads what makes a load mislead: swapping, and a CPU that is held down
// by heat.
type beside struct {
	root  string // of /sys, for tests; empty: /
	known bool
	swap  float64
	heat  float64
}

// read notes what has come since the last reading.
func (b *beside) read(ctx context.Context, window float64, out *calibrate.Reading) {
	swap, heat := b.swap, coreThrottles(b.root)
	if m, err := mem.SwapMemoryWithContext(ctx); err == nil {
		swap = float64(m.Sin + m.Sout)
	}
	if b.known && window > 0 && swap >= b.swap {
		out.SwapBps = (swap - b.swap) / window
	}
	if b.known && heat > b.heat {
		out.Throttled = "CPU: heat"
	}
	b.known, b.swap, b.heat = true, swap, heat
}

// coreThrottles is how often the cores were slowed down by heat, all together.
func coreThrottles(root string) float64 {
	files, err := filepath.Glob(filepath.Join("/", root, "sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count"))
	if err != nil {
		return 0
	}
	sum := 0.0
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(string(raw)), 64); err == nil {
			sum += n
		}
	}
	return sum
}
