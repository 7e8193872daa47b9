//go:build !linux

package sampler

import (
	"context"
	"fmt"

	"github.com/shirou/gopsutil/v3/process"
)

// processTable reads all processes once. Those that end meanwhile, or that this
// user may not look at, are left out. What a process that has ended used is not
// moved to its parent here, so a tree that loses one is unknown for a sample.
func processTable(ctx context.Context, _ string) (map[int]proc, error) {
	list, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading processes: %w", err)
	}
	all := make(map[int]proc, len(list))
	for _, p := range list {
		if one, err := read(ctx, p); err == nil {
			all[one.pid] = one
		}
	}
	return all, nil
}

func read(ctx context.Context, p *process.Process) (proc, error) {
	parent, err := p.PpidWithContext(ctx)
	if err != nil {
		return proc{}, err
	}
	times, err := p.TimesWithContext(ctx)
	if err != nil {
		return proc{}, err
	}
	memory, err := p.MemoryInfoWithContext(ctx)
	if err != nil {
		return proc{}, err
	}
	began, err := p.CreateTimeWithContext(ctx)
	if err != nil {
		return proc{}, err
	}
	return proc{
		pid: int(p.Pid), parent: int(parent), start: uint64(max(0, began)), //nolint:gosec // not negative
		cpu: times.User + times.System, memory: float64(memory.RSS),
	}, nil
}
