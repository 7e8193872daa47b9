package simulate

// Result is what a set of scenarios came to. It is what `rendergate simulate
// --json` prints. Shares are fractions of 1, times seconds.
type Result struct {
	Version string `json:"version"` // of the program
	Set     string `json:"set"`
	Seeds   int    `json:"seeds"`
	// SweepSeeds is how many of the seeds, the first, the curves are of.
	SweepSeeds int        `json:"sweep_seeds"`
	FirstSeed  uint64     `json:"first_seed"`
	TookS      float64    `json:"took_s"`
	Speed      float64    `json:"speed"` // simulated over real time, of the product's own runs
	Scenarios  []Scenario `json:"scenarios"`
}

// Scenario is one scenario's part.
type Scenario struct {
	Name          string   `json:"name"`
	About         string   `json:"about"`
	SamplePeriodS float64  `json:"sample_period_s"`
	Threshold     float64  `json:"threshold"`
	Policies      []Policy `json:"policies"`
	Forecast      Forecast `json:"forecast"`
}

// Range is a mean over seeds with its 95 % interval (of the t distribution).
type Range struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Role says whose rule a policy is.
type Role string

// The roles. A policy without one counts as a rival.
const (
	RoleOurs   Role = "ours"
	RoleRival  Role = "rival"
	RoleOracle Role = "oracle"
)

// Policy is what one policy came to in a scenario, as means over the seeds.
type Policy struct {
	Name   string `json:"name"`
	Role   Role   `json:"role"`
	Title  string `json:"title"`  // for people
	Source string `json:"source"` // where the rule is from
	// Load is the mean demand of each host's fullest resource. LoadOfO1 is over the
	// first oracle's; LoadOfO2 over the second's at the same share of time over the
	// threshold, by its own curve.
	Load                float64 `json:"load"`
	LoadOfO1            float64 `json:"load_of_o1"`
	LoadOfO2            float64 `json:"load_of_o2"`
	OverThreshold       float64 `json:"over_threshold"` // share of host time
	OverFull            float64 `json:"over_full"`
	OverFullByAdmission float64 `json:"over_full_by_admission"`
	DepthMost           float64 `json:"depth_most"` // over the threshold
	DepthMean           float64 `json:"depth_mean"`
	OvershootP95S       float64 `json:"overshoot_p95_s"`
	FalseRefusals       float64 `json:"false_refusals"` // of the decisions on whoever is first in line
	// FalseRefusalsOfO2 is what the second oracle refuses falsely where it is over the
	// threshold for the same share of time: who sees the present without lag and does
	// not know the future.
	FalseRefusalsOfO2 float64          `json:"false_refusals_of_o2"`
	ForeseenRefusals  float64          `json:"false_refusals_foreseen"` // the same, by a judge who sees seats that will be free
	IdleWhileWaiting  float64          `json:"idle_while_waiting"`      // unused up to the threshold while somebody waits
	WaitP50S          float64          `json:"wait_p50_s"`
	WaitP90S          float64          `json:"wait_p90_s"`
	WaitP95S          float64          `json:"wait_p95_s"`
	WaitP99S          float64          `json:"wait_p99_s"`
	GaveUp            float64          `json:"gave_up"` // share of those who came
	FlipsPerHour      float64          `json:"flips_per_hour"`
	Overtakes         int              `json:"overtakes"`
	OffersWasted      float64          `json:"offers_wasted"`       // share of offers
	Violations        int              `json:"violations"`          // of hard budgets, order and seats, over all seeds
	Seated            int              `json:"seated"`              // over all seeds
	Intervals         map[string]Range `json:"intervals,omitempty"` // by JSON name: load, load_of_o1, load_of_o2, over_threshold, false_refusals
	Curve             Curve            `json:"curve,omitempty"`     // the loss-load curve: a sweep of the policy's own knob
}

// Point is one setting of a policy's knob.
type Point struct {
	Knob          float64 `json:"knob"`
	Load          float64 `json:"load"`
	OverThreshold float64 `json:"over_threshold"`
	Default       bool    `json:"default,omitempty"` // the policy's own setting
}

// Forecast is how well waits were foretold, by the product.
type Forecast struct {
	Quotes       int                `json:"quotes"`
	Unknown      float64            `json:"unknown"`      // share of those who waited and were told nothing
	CoverageP50  float64            `json:"coverage_p50"` // share of waits that the P50 covered; who gave up counts as censored
	CoverageP90  float64            `json:"coverage_p90"`
	WAPEOfFloor  float64            `json:"wape_of_floor"`        // weighted absolute percentage error over the floor for known rates
	MSEOfRolling float64            `json:"mse_of_rolling"`       // squared error over the best rolling average's
	PinballOf    map[string]float64 `json:"pinball_of,omitempty"` // pinball loss over that of each other estimator
	Buckets      []Bucket           `json:"buckets,omitempty"`
	Reversals    float64            `json:"reversals"` // share of shown minutes in which the wait rose by more than a fifth
}

// Bucket is the coverage of some positions.
type Bucket struct {
	From        int     `json:"from"` // positions, the last included
	To          int     `json:"to"`
	Quotes      int     `json:"quotes"`
	CoverageP50 float64 `json:"coverage_p50"`
	CoverageP90 float64 `json:"coverage_p90"`
}
