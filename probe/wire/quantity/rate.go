package quantity

// Rate is in bits per second, 0 to 1e15.
type Rate float64

//nolint:gochecknoglobals // a table that nothing changes
var rates = scale{
	noun: "a rate", example: "8 Mbit/s",
	units: []unit{{"Tbit/s", 1e12}, {"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}, {"bit/s", 1}},
	most:  1e15, mostSay: "1000 Tbit/s",
}

// ParseRate reads a rate such as "8 Mbit/s".
func ParseRate(text string) (Rate, error) {
	v, err := rates.parse(text)
	return Rate(v), err
}

// String gives the rate as a config file would.
func (r Rate) String() string { return rates.format(float64(r)) }

// Bps is the rate in bits per second.
func (r Rate) Bps() float64 { return float64(r) }

// UnmarshalText reads what [ParseRate] does.
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}

// UnmarshalYAML reads what [ParseRate] does, for goccy/go-yaml.
func (r *Rate) UnmarshalYAML(decode func(any) error) error { return fromYAML(r, decode) }

// MarshalText gives [Rate.String].
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
