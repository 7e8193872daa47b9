package rival

// Entry is a policy that others can be compared with.
type Entry struct {
	Name     string // as in results
	Title    string
	Source   string    // project or paper
	KnobName string    // as the source calls it; "" if there is no knob
	Default  float64   // the source's own; 0.85 where that is about something else
	Knobs    []float64 // for a curve, ascending, the default among them
	// New makes the rule for one run: it may remember what it sees.
	New func(knob float64) Rule
}

// All are the oracles and the rivals, from the plainest on.
func All() []Entry {
	return append(oracles(), rivals()...)
}

// limits are the knobs of those whose knob is a share of the resource.
func limits() []float64 {
	return []float64{0.35, 0.45, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95}
}

func oracles() []Entry {
	return []Entry{
		{
			"o1", "Oracle 1: knows the future", "Bashir et al., EuroSys 2021", "limit", 0.85,
			[]float64{0.75, 0.80, 0.85, 0.90, 0.95},
			func(k float64) Rule { return Foresees{k} },
		},
		{
			// Close together: others are compared with points between them.
			"o2", "Oracle 2: knows the present", "", "limit", 0.85,
			[]float64{0.50, 0.60, 0.66, 0.69, 0.72, 0.75, 0.80, 0.85, 0.95},
			func(k float64) Rule { return Present{k} },
		},
	}
}

func rivals() []Entry {
	return []Entry{
		{
			"accept_all", "Accept all", "selkies", "", 0,
			[]float64{0},
			func(float64) Rule { return Everybody{} },
		},
		{
			"last_sample", "Last sample", "the rule as written", "limit", 0.85,
			limits(), func(k float64) Rule { return LastSample{k} },
		},
		{
			"smoothed", "Smoothed samples", "go-zero, kratos", "limit", 0.85,
			limits(), func(k float64) Rule { return Smoothed{k} },
		},
		{
			"fixed_count", "Fixed count", "Wilbur, Agones, GameLift Streams", "scale of the count", 1,
			[]float64{0.50, 0.70, 0.80, 0.90, 1, 1.10, 1.25, 1.50, 2},
			func(k float64) Rule { return FixedCount{k} },
		},
		{
			"livekit_sysload", "LiveKit sysload", "livekit/livekit", "sysload_limit", 0.9,
			limits(), func(k float64) Rule { return Sysload{k} },
		},
		{
			"livekit_egress", "LiveKit egress", "livekit/egress v1.9.1", "max_cpu_utilization", 0.8,
			limits(), func(k float64) Rule { return Egress{k} },
		},
		{
			"jicofo", "Jicofo", "jitsi/jicofo", "stress-threshold", 0.8,
			// Stress is usage over 0.9, so 1.05 is a usage of 0.945.
			[]float64{0.60, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 1, 1.05},
			func(k float64) Rule { return Jicofo{Limit: k} },
		},
		{
			"koordinator", "Koordinator", "koordinator-sh/koordinator", "usageThresholds", 0.65,
			limits(), func(k float64) Rule { return Koordinator{k} },
		},
		{
			"trimaran", "Trimaran", "kubernetes-sigs/scheduler-plugins", "targetUtilization", 0.4,
			[]float64{0.30, 0.40, 0.50, 0.60, 0.70, 0.80, 0.90, 1},
			func(k float64) Rule { return Trimaran{k} },
		},
		{
			"measured_sum", "Measured Sum", "Jamin et al., SIGCOMM 1995", "utilization target", 0.85,
			limits(), func(k float64) Rule { return MeasuredSum{k} },
		},
		{
			"two_logons", "Two logons at once", "Citrix, VMware Horizon", "limit", 0.85,
			limits(), func(k float64) Rule { return TwoLogons{k} },
		},
	}
}
