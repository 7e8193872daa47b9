package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/journal"
)

// list is a page of a longer list; Next goes into ?after=, null at the end.
type list[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"`
}

func listOf[T any](items []T, limit int, id func(T) string) list[T] {
	if items == nil {
		items = []T{}
	}
	out := list[T]{Items: items}
	if limit > 0 && len(items) >= limit {
		next := id(items[len(items)-1])
		out.Next = &next
	}
	return out
}

// Pages of lists.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

func pageOf(c echo.Context) (after string, limit int, err error) {
	limit = defaultLimit
	if raw := c.QueryParam("limit"); raw != "" {
		limit, err = strconv.Atoi(raw)
		if err != nil || limit < 1 || limit > maxLimit {
			return "", 0, problemf(http.StatusBadRequest, "bad_limit", "limit is %q; want 1 to %d", raw, maxLimit)
		}
	}
	return c.QueryParam("after"), limit, nil
}

type poolSummary struct {
	Name  string `json:"name"`
	Seats struct {
		Used       int `json:"used"`
		Offered    int `json:"offered"`
		Calibrated int `json:"calibrated"`
	} `json:"seats"`
	Spectators int `json:"spectators"`
	Queue      struct {
		Length  int `json:"length"`
		Waiting int `json:"waiting"` // to play
		Watch   int `json:"watch"`   // to watch
	} `json:"queue"`
	Uplink struct {
		UsedBps   float64 `json:"used_bps"`
		BudgetBps float64 `json:"budget_bps"`
	} `json:"uplink"`
	Hosts struct {
		Known     int `json:"known"`
		Connected int `json:"connected"`
	} `json:"hosts"`
	Leader string `json:"leader"`
	Paused bool   `json:"paused"`
}

func summary(v admission.PoolView) poolSummary {
	s := poolSummary{Name: v.Name, Spectators: v.Spectators, Paused: v.Paused, Leader: "self"}
	s.Seats.Used, s.Seats.Offered, s.Seats.Calibrated = v.SeatsUsed, v.Offered, v.Calibrated
	s.Queue.Length, s.Queue.Waiting, s.Queue.Watch = v.Waiting, v.Waiting, v.WatchQueue
	s.Uplink.UsedBps, s.Uplink.BudgetBps = v.UplinkUsedBps, v.UplinkBudgetBps
	s.Hosts.Known, s.Hosts.Connected = v.Hosts, v.HostsConnected
	return s
}

// lobbyPool is what anybody may know of a pool: enough to join it.
type lobbyPool struct {
	Pool string   `json:"pool"`
	Apps []string `json:"apps"`
	Note string   `json:"note,omitempty"` // what counts as the host, where it is not the whole machine
}

func (a *api) lobby(c echo.Context) error {
	items := make([]lobbyPool, 0, len(a.Pools))
	for _, p := range a.Pools {
		item := lobbyPool{Pool: p.Name, Apps: []string{}}
		err := p.Owner.Read(c.Request().Context(), func(now time.Time, pool *admission.Pool) {
			for app := range pool.Policy().Apps {
				item.Apps = append(item.Apps, app)
			}
			for _, h := range pool.Hosts(now) {
				if h.Share != "" {
					item.Note = h.Share
					break
				}
			}
		})
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	return c.JSON(http.StatusOK, listOf(items, 0, func(p lobbyPool) string { return p.Pool }))
}

func (a *api) me(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"name": operatorName(c), "version": a.Version})
}

func (a *api) listPools(c echo.Context) error {
	items := make([]poolSummary, 0, len(a.Pools))
	for _, p := range a.Pools {
		var s poolSummary
		if err := a.read(c, p, func(_ time.Time, pool *admission.Pool) { s = summary(pool.View()) }); err != nil {
			return err
		}
		items = append(items, s)
	}
	return c.JSON(http.StatusOK, listOf(items, 0, func(p poolSummary) string { return p.Name }))
}

func (a *api) read(c echo.Context, p Pool, f func(now time.Time, pool *admission.Pool)) error {
	return p.Owner.Read(c.Request().Context(), f)
}

// show answers with what f reads of the pool that the path names.
func show[T any](a *api, c echo.Context, f func(now time.Time, pool *admission.Pool) T) error {
	p, err := a.pool(c)
	if err != nil {
		return err
	}
	var out T
	if err := a.read(c, p, func(now time.Time, pool *admission.Pool) { out = f(now, pool) }); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, out)
}

func (a *api) showPool(c echo.Context) error {
	return show(a, c, func(_ time.Time, p *admission.Pool) poolSummary { return summary(p.View()) })
}

func (a *api) explain(c echo.Context) error {
	app := c.QueryParam("app")
	return show(a, c, func(now time.Time, p *admission.Pool) admission.Explanation {
		e := p.Explain(now, app)
		if e.Items == nil {
			e.Items = []admission.HostExplanation{}
		}
		return e
	})
}

func (a *api) listHosts(c echo.Context) error {
	return show(a, c, func(now time.Time, p *admission.Pool) list[hostItem] {
		views := p.Hosts(now)
		items := make([]hostItem, len(views))
		for i, h := range views {
			items[i] = a.hostItem(h)
		}
		return listOf(items, 0, func(h hostItem) string { return h.Host })
	})
}

func (a *api) listSessions(c echo.Context) error {
	after, limit, err := pageOf(c)
	if err != nil {
		return err
	}
	p, err := a.pool(c)
	if err != nil {
		return err
	}
	reports := p.Play.Reports()
	return show(a, c, func(_ time.Time, p *admission.Pool) list[sessionItem] {
		views := p.Sessions(after, limit)
		items := make([]sessionItem, len(views))
		for i, s := range views {
			items[i] = session(s)
			if r, ok := reports[s.ID]; ok {
				items[i].Report = r
			}
		}
		return listOf(items, limit, func(s sessionItem) string { return s.ID })
	})
}

func (a *api) listQueue(c echo.Context) error {
	after, limit, err := pageOf(c)
	if err != nil {
		return err
	}
	return show(a, c, func(_ time.Time, p *admission.Pool) list[entryItem] {
		views := p.Queue(after, limit)
		items := make([]entryItem, len(views))
		for i, e := range views {
			items[i] = entry(e)
		}
		return listOf(items, limit, func(e entryItem) string { return e.ID })
	})
}

func (a *api) listEvents(c echo.Context) error {
	p, err := a.pool(c)
	if err != nil {
		return err
	}
	raw, limit, err := pageOf(c)
	if err != nil {
		return err
	}
	var after uint64
	if last := c.Request().Header.Get("Last-Event-ID"); raw == "" {
		raw = last
	}
	if raw != "" {
		if after, err = strconv.ParseUint(raw, 10, 64); err != nil {
			return problemf(http.StatusBadRequest, "bad_after", "after is %q; want the seq of an event", raw)
		}
	}
	if c.Request().Header.Get("Accept") == "text/event-stream" {
		return a.streamEvents(c, p, after)
	}
	entries, err := p.Audit.List(c.Request().Context(), after, limit)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, listOf(entries, limit, func(e journal.AuditEntry) string {
		return strconv.FormatUint(e.Seq, 10)
	}))
}

// streamEvents follows the audit trail as server-sent events.
func (a *api) streamEvents(c echo.Context, p Pool, after uint64) error {
	w := c.Response()
	w.Header().Set(echo.HeaderContentType, "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	w.Flush()
	control := http.NewResponseController(w)
	ctx, cancel := context.WithCancel(c.Request().Context())
	defer cancel()
	go func() {
		select {
		case <-a.stop: // or the service would wait for whoever follows
			cancel()
		case <-ctx.Done():
		}
	}()
	err := p.Audit.Follow(ctx, after, func(e journal.AuditEntry) error {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if err := control.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Type, data); err != nil {
			return err
		}
		w.Flush()
		return nil
	})
	a.Log.Debug("event stream ended", "err", err)
	return nil
}
