package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/rendergate/rendergate/server/simulate/replay"
	"github.com/rendergate/rendergate/server/simulate/trace"
)

// replay makes a world of the traces, and says on standard error what is missing
// in them.
func (c simulateCommand) replay() (*replay.Replay, error) {
	files, err := traces(c.Trace)
	if err != nil {
		return nil, err
	}
	t, err := trace.Read(files, trace.Options{Pool: c.Pool})
	if err != nil {
		return nil, err
	}
	r, err := replay.New(t, replay.Options{Times: c.Times})
	if err != nil {
		return nil, fmt.Errorf("pool %s: %w", t.Pool, err)
	}
	for _, n := range r.Notes {
		fmt.Fprintln(os.Stderr, "note:", n)
	}
	return r, nil
}

// traces are the files that are named, and of folders all that --record may have
// written there.
func traces(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		inside, err := inFolder(path)
		if err != nil {
			return nil, err
		}
		files = append(files, inside...)
	}
	return files, nil
}

func inFolder(path string) ([]string, error) {
	var files []string
	for _, pattern := range []string{"*.jsonl", "*.jsonl.gz"} {
		found, err := filepath.Glob(filepath.Join(path, pattern))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no trace; want files *.jsonl or *.jsonl.gz in it", path)
	}
	slices.Sort(files)
	return files, nil
}
