package sampler

import (
	"fmt"
	"log/slog"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRead is one sample of this machine with twenty sessions of three
// processes each.
func BenchmarkRead(b *testing.B) {
	var sessions []Session
	for i := range 20 {
		command := exec.Command("sh", "-c", "sleep 600 & sleep 600 & wait")
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := command.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
			_ = command.Wait()
		})
		sessions = append(sessions, Session{ID: fmt.Sprint("s", i), RootPID: command.Process.Pid, GPU: -1})
	}
	for name, o := range map[string]Options{"machine": {}, "share": {Share: 1}} {
		b.Run(name, func(b *testing.B) {
			o.Period, o.Log, o.Sessions = time.Hour, slog.New(slog.DiscardHandler), func() []Session { return sessions }
			s, err := New(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				s.Read(b.Context())
			}
			b.ReportMetric(float64(len(s.last.processes)), "processes")
		})
	}
}
