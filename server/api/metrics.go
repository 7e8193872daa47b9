package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/owner"
)

// Meters are the metrics of the service, in a registry of their own.
type Meters struct {
	registry  *prometheus.Registry
	events    *prometheus.CounterVec
	decisions prometheus.Histogram
	relayed   func() uint64
}

// NewMeters makes the metrics. relayed says what the relay has sent, in bytes.
func NewMeters(relayed func() uint64) *Meters {
	m := &Meters{
		registry: prometheus.NewRegistry(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rendergate_events_total", Help: "Events that the journal has acknowledged, by type and reason.",
		}, []string{"pool", "type", "reason"}),
		decisions: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "rendergate_batch_events", Help: "Events written to the journal as one record.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 8),
		}),
		relayed: relayed,
	}
	m.registry.MustRegister(m.events, m.decisions, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "rendergate_relay_sent_bytes_total", Help: "Bytes of streams sent to spectators.",
		}, func() float64 { return float64(m.relayed()) }))
	return m
}

// Handler serves the metrics.
func (m *Meters) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Register adds a collector.
func (m *Meters) Register(c prometheus.Collector) error { return m.registry.Register(c) }

// Listener counts the commits of one pool.
func (m *Meters) Listener(pool string) owner.Listener { return &counter{m: m, pool: pool} }

type counter struct {
	m    *Meters
	pool string
}

// Committed counts what was acknowledged.
func (c *counter) Committed(commit owner.Commit) {
	if len(commit.Events) == 0 {
		return
	}
	c.m.decisions.Observe(float64(len(commit.Events)))
	for _, e := range commit.Events {
		c.m.events.WithLabelValues(c.pool, e.Name(), reasonOf(e.Body)).Inc()
	}
}

func reasonOf(b admission.Body) string {
	switch b := b.(type) {
	case admission.EntryLeft:
		return string(b.Reason)
	case admission.SessionEnded:
		return string(b.Reason)
	case admission.OfferLapsed:
		return string(b.Reason)
	case admission.ViewEnded:
		return string(b.Reason)
	}
	return ""
}

// poolCollector reads a pool when metrics are asked for.
type poolCollector struct {
	name  string
	owner Owner
}

// PoolCollector reads the state of a pool whenever metrics are asked for.
func PoolCollector(name string, o Owner) prometheus.Collector {
	return &poolCollector{name: name, owner: o}
}

type gauge struct {
	name, help string
	labels     []string
}

func (g gauge) desc() *prometheus.Desc { return prometheus.NewDesc(g.name, g.help, g.labels, nil) }

// Describe makes the collector an unchecked one: its gauges come and go with hosts.
func (p *poolCollector) Describe(chan<- *prometheus.Desc) {}

// scrapeTimeout is how long a scrape waits for a busy pool.
const scrapeTimeout = 5 * time.Second

// Collect reads the pool.
func (p *poolCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	var view admission.PoolView
	var explained admission.Explanation
	err := p.owner.Read(ctx, func(now time.Time, pool *admission.Pool) {
		view, explained = pool.View(), pool.Explain(now, "")
	})
	ready := 0.0
	if err == nil && p.owner.Ready() == nil {
		ready = 1
	}
	emit := func(g gauge, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(g.desc(), prometheus.GaugeValue, v, labels...)
	}
	pool := []string{"pool"}
	emit(gauge{"rendergate_pool_ready", "1 if the pool's journal can be written.", pool}, ready, p.name)
	if err != nil {
		return
	}
	emit(gauge{"rendergate_seats_used", "Seats of players, being started included.", pool}, float64(view.SeatsUsed), p.name)
	emit(gauge{"rendergate_seats_offered", "Seats reserved by offers.", pool}, float64(view.Offered), p.name)
	emit(gauge{"rendergate_seats_calibrated", "Seats that connected hosts were calibrated for.", pool}, float64(view.Calibrated), p.name)
	emit(gauge{"rendergate_spectators", "People who look on.", pool}, float64(view.Spectators), p.name)
	emit(gauge{"rendergate_queue_length", "People who wait to play.", pool}, float64(view.Waiting), p.name)
	emit(gauge{"rendergate_watch_queue_length", "People who wait to watch.", pool}, float64(view.WatchQueue), p.name)
	emit(gauge{"rendergate_uplink_reserved_bytes_per_second", "Reserved on the pool's uplink.", pool}, view.UplinkUsedBps/8, p.name)
	emit(gauge{"rendergate_uplink_budget_bytes_per_second", "Budget of the pool's uplink, 0 for none.", pool}, view.UplinkBudgetBps/8, p.name)
	emit(gauge{"rendergate_hosts_connected", "Hosts whose probe is connected.", pool}, float64(view.HostsConnected), p.name)
	p.collectHosts(emit, explained)
}

func (p *poolCollector) collectHosts(emit func(gauge, float64, ...string), x admission.Explanation) {
	labels := []string{"pool", "host", "resource", "device"}
	for _, h := range x.Items {
		for _, r := range h.Resources {
			at := []string{p.name, h.Host, string(r.Resource), deviceLabel(r.Device)}
			if r.Measured != nil {
				emit(gauge{"rendergate_host_measured", "Measured use of a resource, in the resource's unit.", labels}, *r.Measured, at...)
			}
			emit(gauge{"rendergate_host_projected", "Projected use with the next session counted in.", labels}, r.Projected, at...)
			emit(gauge{"rendergate_host_limit", "What the resource's threshold allows.", labels}, r.Limit, at...)
		}
	}
}

func deviceLabel(device int) string {
	if device == admission.NoDevice {
		return ""
	}
	return strconv.Itoa(device)
}
