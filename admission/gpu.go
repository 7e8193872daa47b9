package admission

// chooseGPU picks the GPU for the next session, by the policy's order, and
// returns what that GPU is shortest of. Ties go to the lower index.
func (p *Pool) chooseGPU(h *host, a *app) (int, need) {
	if !a.profile.Cost.NeedsGPU() {
		return NoDevice, need{Ratio: -1}
	}
	if len(h.facts.GPUs) == 0 {
		return NoDevice, need{Resource: GPU, Device: NoDevice, Ratio: ratioNoDevice, Projected: a.mean.GPU, Verdict: verdictFull}
	}
	best, bestNeed := NoDevice, need{}
	for i := range h.facts.GPUs {
		worst := need{Ratio: -1}
		for _, n := range p.gpuNeeds(h, a, i) {
			if n.Ratio > worst.Ratio {
				worst = n
			}
		}
		if best == NoDevice || p.preferred(worst.Ratio, bestNeed.Ratio) {
			best, bestNeed = i, worst
		}
	}
	return best, bestNeed
}

// preferred says whether a device with ratio a is taken before one with b.
func (p *Pool) preferred(a, b float64) bool {
	if p.policy.Placement.Order == Pack && a <= 1 {
		return b > 1 || a > b
	}
	return a < b
}

// gpuNeeds are the resources of one GPU.
func (p *Pool) gpuNeeds(h *host, a *app, i int) []need {
	c, facts := a.ceiling(), h.facts.GPUs[i]
	g := h.gpuSample(i)
	return []need{
		p.elastic(h, device{GPU, i}, a),
		h.hard(VRAM, i, hardAsk{g.VRAM, c.VRAMBytes, p.policy.Threshold.VRAM * facts.VRAMBytes}),
		p.elastic(h, device{Encoder, i}, a),
		h.hard(EncoderSessions, i, hardAsk{g.EncoderSessions, c.EncoderSessions, float64(facts.EncoderSessions)}),
	}
}

// gpuSample is the newest reading of a GPU; all unknown if there is none.
func (h *host) gpuSample(i int) GPUSample {
	if h.sample == nil || i < 0 || i >= len(h.sample.GPUs) {
		return GPUSample{}
	}
	return h.sample.GPUs[i]
}
