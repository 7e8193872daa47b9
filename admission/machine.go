package admission

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Machine is a kind of host, as far as costs depend on it. The zero value says
// nothing.
type Machine struct {
	Cores float64 `json:"cores"` // 0: it does not say
	GPUs  string  `json:"gpus"`  // their names, sorted, with ", " between; see [GPUNames]
}

// GPUNames makes one text of a machine's GPUs, whatever their order.
func GPUNames(names []string) string {
	names = slices.Clone(names)
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Machine is the kind of the host.
func (f HostFacts) Machine() Machine {
	names := make([]string, len(f.GPUs))
	for i, g := range f.GPUs {
		names[i] = g.Name
	}
	return Machine{Cores: f.Cores, GPUs: GPUNames(names)}
}

// coresAlike is how much two machines' cores may differ: a share of a machine
// is seldom a whole number.
const coresAlike = 0.01

// Differs says whether a profile that was measured on m is of another kind of
// machine than other. One that does not say where it was measured never is.
func (m Machine) Differs(other Machine) bool {
	switch {
	case m == (Machine{}):
		return false
	case m.Cores > 0 && math.Abs(m.Cores-other.Cores) > coresAlike*max(m.Cores, other.Cores):
		return true
	default:
		return m.GPUs != other.GPUs
	}
}

// String is for people: "16 cores, NVIDIA L4, NVIDIA L4".
func (m Machine) String() string {
	gpus := cmp.Or(m.GPUs, "no GPU")
	if m.Cores == 0 {
		return gpus
	}
	return fmt.Sprintf("%g cores, %s", m.Cores, gpus)
}

// foreignSpread is the least uncertainty of an elastic cost, of the cost, that
// was measured on another kind of machine. It is a choice: cores and GPUs of one
// generation differ by about that much.
const foreignSpread = 0.25

// foreign says whether the app's profile is of another kind of machine. Its
// calibrated seats are no limit then, since they were counted elsewhere.
func (h *host) foreign(a *app) bool { return a.known && a.profile.Machine.Differs(h.kind) }

// seats is the calibrated number of sessions on this host; 0 for none.
func (h *host) seats(a *app) int {
	if h.foreign(a) {
		return 0
	}
	return a.profile.Seats
}

// be takes the facts in.
func (h *host) be(f HostFacts) { h.facts, h.kind = f, f.Machine() }
