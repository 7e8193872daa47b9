package rival

import "github.com/rendergate/rendergate/server/simulate/world"

const (
	// estimatedShare is what a pod is thought to use of what it requests.
	estimatedShare = 0.85
	// reportS is how often Koordinator's nodes report.
	reportS = 60
)

// Koordinator is the filter of Koordinator's load-aware scheduling
// (koordinator-sh/koordinator, pkg/scheduler/plugins/loadaware: load_aware.go and
// pod_assign_cache.go as of 2025): the node's usage; for each pod that the last
// report does not show, or that was assigned less than a report interval before
// it, what its estimate is more than its usage; and the new pod's estimate, must
// be at most Limit, 65 % of the CPU by default. An estimate is 85 % of what is
// requested, here declared. The least used node comes first.
//
// The report interval is 60 s by default. It stays that for samples that come
// more often, which does the rule good: with an interval of a second a session
// would be forgotten before it shows. Koordinator always sees each pod. Where
// sessions are not seen by themselves, those within the interval count in full
// and the older ones are held to be in the usage: to take them all for not yet
// reported, as the code would, counts everything twice.
type Koordinator struct{ Limit float64 }

// Admits implements [Rule].
func (r Koordinator) Admits(now float64, h *Host, app *world.App, gpu int) (bool, float64) {
	if !h.Fresh(now) {
		return false, 0
	}
	sees, used := eyes{seats: h.Sample.Seats}, h.usage(gpu)
	recent := max(reportS, h.Sample.PeriodS)
	for _, s := range h.Seats {
		usage, seen := sees.find(s.Person)
		unseen := !seen && sees.seats != nil
		if unseen || s.age(now, h.Sample.WindowEnd) < recent {
			estimate := h.declared(s.App).times(estimatedShare)
			used = used.plus(s.on(gpu, estimate.beyond(usage)))
		}
	}
	used = used.plus(h.declared(app).times(estimatedShare))
	return used.most() <= r.Limit, used.most()
}

const (
	// multiplier is what a pod without limits is predicted to use over what it
	// requests.
	multiplier = 1.5
	// metricsS is how long usage takes to show in Trimaran's metrics.
	metricsS = 60
)

// Trimaran is the score of Trimaran's target load packing
// (kubernetes-sigs/scheduler-plugins, pkg/trimaran/targetloadpacking, and
// apis/config/v1/defaults.go, as of 2025): the node's usage, what the new pod is
// predicted to use, and what all pods are predicted to use that were bound less
// than 60 s before the metrics' end or after it. A pod is predicted to use 1.5
// times what it requests, here declares. Of the nodes that stay within Limit, 40 %
// by default, the fullest comes first.
//
// It is a score and no filter: in Kubernetes a node past the target is only less
// liked, and the requests bind. Here nobody is admitted past the target. Pods that
// show already and are younger than 60 s count twice, as they do there ("it
// doesn't hurt us much").
type Trimaran struct{ Limit float64 }

// Admits implements [Rule].
func (r Trimaran) Admits(now float64, h *Host, app *world.App, gpu int) (bool, float64) {
	if !h.Fresh(now) {
		return false, 0
	}
	missing := h.declared(app)
	for _, s := range h.Seats {
		if s.age(now, h.Sample.WindowEnd) < metricsS {
			missing = missing.plus(s.on(gpu, h.declared(s.App)))
		}
	}
	predicted := h.usage(gpu).plus(missing.times(multiplier)).most()
	return predicted <= r.Limit, -predicted
}
