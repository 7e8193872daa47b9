package api

import (
	"time"

	"github.com/rendergate/rendergate/admission"
)

// What lists hold. Units are in the names; times are RFC 3339 in UTC.
type (
	hostItem struct {
		Host        string    `json:"host"`
		Version     string    `json:"version"`
		Connected   bool      `json:"connected"`
		Since       time.Time `json:"since"`
		Draining    bool      `json:"draining"`
		SampleAgeS  *float64  `json:"sample_age_s"` // null: no sample yet
		ClockSkewS  float64   `json:"clock_skew_s"`
		Cores       float64   `json:"cores"`
		Share       string    `json:"share,omitempty"`
		MemoryBytes float64   `json:"memory_bytes"`
		GateURL     string    `json:"gate_url"`
		Apps        []string  `json:"apps"`
		GPUs        []gpuItem `json:"gpus"`
		Uplink      struct {
			UsedBps   float64 `json:"used_bps"`
			BudgetBps float64 `json:"budget_bps"`
		} `json:"uplink"`
		Load     loadItem `json:"load"`
		Sessions []string `json:"sessions"`
		Foreign  []string `json:"foreign,omitempty"` // apps whose profile was measured on another kind of machine
	}
	loadItem struct {
		CPU         *float64 `json:"cpu"` // null: unknown
		MemoryBytes *float64 `json:"memory_bytes"`
		EgressBps   *float64 `json:"egress_bps"`
	}
	gpuItem struct {
		UUID            string   `json:"uuid"`
		Name            string   `json:"name"`
		VRAMBytes       float64  `json:"vram_bytes"`
		Util            *float64 `json:"util"`
		Encoder         *float64 `json:"encoder"`
		EncoderSessions *float64 `json:"encoder_sessions"`
		VRAMUsedBytes   *float64 `json:"vram_used_bytes"`
	}
	sessionItem struct {
		ID         string     `json:"id"`
		App        string     `json:"app"`
		Host       string     `json:"host"`
		GPU        int        `json:"gpu"` // -1: none
		Client     string     `json:"client"`
		Phase      string     `json:"phase"`
		Since      time.Time  `json:"since"`
		ReadyAt    *time.Time `json:"ready_at"`
		EndsAt     *time.Time `json:"ends_at"`
		Watchers   int        `json:"watchers"`
		Sharing    string     `json:"sharing"`
		BitrateBps float64    `json:"bitrate_bps"`
		Attempt    int        `json:"attempt"`
		Report     any        `json:"report"` // what the player sees, null until it says
	}
	entryItem struct {
		ID        string          `json:"id"`
		Client    string          `json:"client"`
		Class     string          `json:"class"`
		App       string          `json:"app"`
		Intent    string          `json:"intent"`
		Since     time.Time       `json:"since"`
		Connected bool            `json:"connected"`
		Lapses    int             `json:"lapses"`
		Position  int             `json:"position"` // 1 is next; 0 while an offer is out
		Offer     string          `json:"offer,omitempty"`
		Session   string          `json:"session,omitempty"`
		ExpiresAt *time.Time      `json:"expires_at"`
		Wait      *admission.Wait `json:"wait"`
	}
)

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func valueOrNull(r admission.Reading) *float64 {
	if !r.Known {
		return nil
	}
	return &r.Value
}

func (a *api) hostItem(h admission.HostView) hostItem {
	item := hostItem{
		Host: h.Host, Version: h.Version, Connected: h.Connected, Since: h.Since.UTC(), Draining: h.Draining,
		ClockSkewS: a.Hosts.Skew(h.Host), Cores: h.Cores, Share: h.Share, MemoryBytes: h.MemoryBytes,
		GateURL: h.GateURL, Apps: h.Apps, Sessions: h.Sessions, GPUs: []gpuItem{}, Foreign: h.Foreign,
	}
	if item.Sessions == nil {
		item.Sessions = []string{}
	}
	item.Uplink.UsedBps, item.Uplink.BudgetBps = h.UplinkUsedBps, h.UplinkBps
	if h.SampleAge >= 0 {
		age := h.SampleAge.Seconds()
		item.SampleAgeS = &age
	}
	for _, g := range h.GPUs {
		item.GPUs = append(item.GPUs, gpuItem{UUID: g.UUID, Name: g.Name, VRAMBytes: g.VRAMBytes})
	}
	addLoad(&item, h.Last)
	return item
}

func addLoad(item *hostItem, s *admission.Sample) {
	if s == nil {
		return
	}
	item.Load = loadItem{CPU: valueOrNull(s.CPU), MemoryBytes: valueOrNull(s.Memory), EgressBps: valueOrNull(s.EgressBps)}
	for i, g := range s.GPUs {
		if i >= len(item.GPUs) {
			return
		}
		to := &item.GPUs[i]
		to.Util, to.Encoder = valueOrNull(g.Util), valueOrNull(g.Encoder)
		to.EncoderSessions, to.VRAMUsedBytes = valueOrNull(g.EncoderSessions), valueOrNull(g.VRAM)
	}
}

func session(s admission.SessionView) sessionItem {
	return sessionItem{
		ID: s.ID, App: s.App, Host: s.Host, GPU: s.GPU, Client: s.Client, Phase: string(s.Phase),
		Since: s.Since.UTC(), ReadyAt: timeOrNull(s.ReadyAt), EndsAt: timeOrNull(s.EndsAt),
		Watchers: s.Watchers, Sharing: string(s.Sharing), BitrateBps: s.BitrateBps, Attempt: s.Attempt,
	}
}

func entry(e admission.EntryView) entryItem {
	return entryItem{
		ID: e.ID, Client: e.Client, Class: e.Class, App: e.App, Intent: string(e.Intent), Since: e.Since.UTC(),
		Connected: e.Connected, Lapses: e.Lapses, Position: e.Position, Offer: e.Offer, Session: e.Session,
		ExpiresAt: timeOrNull(e.ExpiresAt), Wait: e.Wait,
	}
}
