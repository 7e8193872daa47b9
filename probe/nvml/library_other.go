//go:build !linux || !cgo

package nvml

// open says why there is no NVML in this program.
func open() (library, string) {
	return nil, "this program was built without NVML: it needs Linux and cgo"
}
