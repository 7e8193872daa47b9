package play

import (
	"context"
	"time"

	"github.com/rendergate/rendergate/admission"
)

// places sends everybody who waits the newest place.
func (h *Hub) places(ctx context.Context) {
	err := h.o.Owner.Read(ctx, func(now time.Time, p *admission.Pool) {
		type want struct {
			app    string
			intent admission.Intent
		}
		blocks := map[want]*admission.Block{}
		for _, c := range h.all() {
			v, _ := p.Client(c.id())
			e, ok := p.Entry(v.Entry)
			if !ok || e.Offer != "" {
				continue
			}
			key := want{e.App, e.Intent}
			if _, asked := blocks[key]; !asked {
				blocks[key] = p.BlockedBy(now, e.App, e.Intent)
			}
			c.sendQueued(Queued{
				Type: "queued", Entry: e.ID, Intent: e.Intent, Position: e.Position, Length: e.Length, Class: e.Class,
				Wait: e.Wait, BlockedBy: blocks[key],
			})
		}
	})
	if err != nil && ctx.Err() == nil {
		h.o.Log.Warn("places were not sent", "pool", h.o.Pool, "err", err)
	}
}
