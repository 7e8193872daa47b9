package calibrate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rendergate/rendergate/probe/wire/calibration"
)

// find notes a finding; each kind once, when it is seen first.
func (r *ramp) find(f calibration.Finding) {
	if !slices.ContainsFunc(r.findings, func(x calibration.Finding) bool { return x.Code == f.Code }) {
		r.findings = append(r.findings, f)
	}
}

func (r *ramp) found(code string, n int, format string, args ...any) {
	r.find(calibration.Finding{Code: code, Message: fmt.Sprintf(format, args...), Copies: n})
}

// What counts as worth a word.
const (
	full   = 0.95 // one copy alone takes all there is
	busy   = 0.10 // load without copies
	bursts = 0.05 // of another program, for moments
	nobody = 0.03 // load that came beside the copies
	idle   = 0.20 // of what the others use
)

func (r *ramp) lookAtBase(m *measured) {
	for _, key := range m.watch.keys() {
		if l := m.Levels[key]; elastic(key) && l.Judged > busy {
			r.found("busy_base", 0, "Without copies %s is at %.0f %% already: another program runs here. What it takes is not there for sessions; end it and calibrate again if it is not to stay.", key, 100*l.Judged)
		}
	}
}

// look says what a step shows besides its load.
func (r *ramp) look(m *measured) {
	r.lookAtOthers(m)
	if m.Copies == 1 {
		r.lookForCap(m)
	}
	if m.Copies > 1 {
		r.lookForIdle(m)
	}
	for _, key := range m.watch.keys() {
		switch l := m.Levels[key]; {
		case l.Verdict == calibration.Periodic:
			r.found("periodic", m.Copies, "%s goes round every %.0f s. It is judged by what it seldom exceeds (0.95 quantile over whole rounds), not by its mean.", key, l.PeriodS)
		case l.Verdict == calibration.Restless && m.Copies > 0:
			r.found("restless", m.Copies, "%s did not settle within %.0f s. It is judged by its 0.95 quantile; give the scene longer with --max-settle, or a steadier scene with --scene.", key, l.Seconds)
		}
	}
	if m.watch.swaps > 2 {
		r.found("swap", m.Copies, "The host swaps with %s: memory is short, and what is swapped stutters. Add memory, or lower the threshold of memory.", copies(m.Copies))
	}
	if m.watch.slow != "" {
		r.found("throttled", m.Copies, "The hardware slows down (%s) with %s: what fits now will not fit on a cooler or better powered day, nor on a hotter one. Mend the cooling or the power limit and calibrate again.", m.watch.slow, copies(m.Copies))
	}
}

// lookAtOthers compares the load that is no copy's with that before the first.
func (r *ramp) lookAtOthers(m *measured) {
	if m.watch.alien > bursts {
		r.found("bursts", m.Copies, "With %s another program took up to %.0f %% of the CPU for moments. Those were left out; end it if it is not to run beside sessions.", copies(m.Copies), 100*m.watch.alien)
	}
	all := m.watch.rest()
	if len(all) == 0 {
		return
	}
	rest := median(all)
	if m.Copies == 0 {
		r.rest = &rest
		return
	}
	if r.rest != nil && rest-*r.rest > nobody+0.005*float64(m.Copies) {
		r.found("other_load", m.Copies, "With %s, %.0f %% of the CPU is used by processes that belong to none of them; without copies it was %.0f %%. Another program loads the host, or the copies make others work for them (a display server, the driver).", copies(m.Copies), 100*rest, 100**r.rest)
	}
}

// caps are the usual settings that cap frames.
const caps = "Cap its frames (Unreal: t.MaxFPS 30 by -ExecCmds or DefaultEngine.ini, and for Pixel Streaming WebRTC.MaxFps; Unity: Application.targetFrameRate = 30 with QualitySettings.vSyncCount = 0), or calibrate by delivered frames with --fps 30."

func (r *ramp) lookForCap(m *measured) {
	for _, key := range m.watch.keys() {
		kind, _ := calibration.SplitKey(key)
		if l := m.Levels[key]; (kind == calibration.GPULoad || kind == calibration.CPU) && l.Mean >= full && r.on(key) == 1 {
			r.found("uncapped", 1, "One copy alone takes all of %s (%.0f %%): it draws as many frames as it can, so load does not say how many fit. %s", key, 100*l.Mean, caps)
		}
	}
}

// lookForIdle finds copies that hardly run while others do.
func (r *ramp) lookForIdle(m *measured) {
	means := m.watch.means(calibration.CPU)
	if len(means) < m.Copies {
		return
	}
	list := slices.Sorted(maps.Values(means))
	middle := list[len(list)/2]
	if middle > 0.005 && list[0] < idle*middle {
		r.found("idle_copy", m.Copies, "Of %s one uses %.1f %% of the CPU where the others use %.1f %%: it may wait for a window, a lock, a licence or a login that another holds. See that each copy has its own display, folder (--copy-dir) and ports, or the cost of a copy is too low.", copies(m.Copies), 100*list[0], 100*middle)
	}
}

// noteEnded says what it means that copies ended when one was opened.
func (r *ramp) noteEnded(e *EndedError, p Place) {
	why := e.Error()
	switch _, newest := e.Copies[p.Copy]; {
	case len(r.open) == 0 || r.reached == 0 && newest:
	case r.reached == 1:
		r.found("single_instance", 2, "Two copies do not run together: %s. The application may allow one instance only (a lock file, a fixed port, one window or display, one licence): give each copy its own folder with --copy-dir, its own port with {{.Port}}, its own display.", why)
	default:
		r.found("copy_ended", r.reached+1, "With %s a copy ended by itself or did not start: %s", copies(r.reached+1), why)
	}
}
