package owner_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/owner"
)

// TestLivePolicyOutlivesTheOwner: what operators set live stays until the
// configuration itself is changed.
func TestLivePolicyOutlivesTheOwner(t *testing.T) {
	dir := t.TempDir()
	live := policy()
	live.Threshold.CPU = 0.6
	if got := threshold(t, dir, policy(), admission.SetPolicy{Policy: live, By: "ann"}); got != 0.6 {
		t.Fatalf("set live: the threshold is %v, want 0.6", got)
	}
	if got := threshold(t, dir, policy(), nil); got != 0.6 {
		t.Errorf("started again with the same configuration: %v, want 0.6", got)
	}
	changed := policy()
	changed.Threshold.CPU = 0.7
	if got := threshold(t, dir, changed, nil); got != 0.7 {
		t.Errorf("started with another configuration: %v, want 0.7", got)
	}
	if got := threshold(t, dir, changed, nil); got != 0.7 {
		t.Errorf("and once more: %v, want 0.7", got)
	}
}

// threshold runs an owner with that configuration, has it do the command, and
// reads the CPU's threshold.
func threshold(t *testing.T, dir string, configured admission.Policy, c admission.Command) float64 {
	t.Helper()
	j := open(t, dir)
	defer j.Close()
	store, err := j.Pool(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	o := owner.New(owner.Options{Name: "test", Policy: configured, Journal: store, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the owner ended with %v", err)
		}
	}()
	if c != nil {
		if _, err := o.Do(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	var cpu float64
	if err := o.Read(t.Context(), func(_ time.Time, p *admission.Pool) { cpu = p.Policy().Threshold.CPU }); err != nil {
		t.Fatal(err)
	}
	return cpu
}
