package quantity

// Bytes is a size in bytes, 0 to 1 PiB.
type Bytes float64

//nolint:gochecknoglobals // a table that nothing changes
var sizes = scale{
	noun: "a size", example: "24 GiB",
	units: []unit{
		{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9},
		{"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"B", 1},
	},
	most: 1 << 50, mostSay: "1024 TiB",
}

// ParseBytes reads a size such as "24 GiB" or "24 GB".
func ParseBytes(text string) (Bytes, error) {
	v, err := sizes.parse(text)
	return Bytes(v), err
}

// String gives the size as a config file would.
func (b Bytes) String() string { return sizes.format(float64(b)) }

// Count is the size as a number of bytes.
func (b Bytes) Count() float64 { return float64(b) }

// UnmarshalText reads what [ParseBytes] does.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBytes(string(text))
	return err
}

// UnmarshalYAML reads what [ParseBytes] does, for goccy/go-yaml.
func (b *Bytes) UnmarshalYAML(decode func(any) error) error { return fromYAML(b, decode) }

// MarshalText gives [Bytes.String].
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }
