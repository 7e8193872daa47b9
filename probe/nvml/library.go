//go:build linux && cgo

package nvml

import (
	"fmt"

	driver "github.com/NVIDIA/go-nvml/pkg/nvml"
)

// real is the driver's library.
type real struct {
	nvml    driver.Interface
	version string
	can     map[string]bool // which optional functions the library has
	cards   []card
}

// card is a GPU, as it was when it was found.
type card struct {
	handle     driver.Device
	uuid, name string
	seen       uint64 // newest timestamp of its process utilisation
}

// The functions that older drivers lack. Calling one that is not there ends the
// process, so each is looked up first.
var optional = []string{ //nolint:gochecknoglobals // constant
	"nvmlSystemGetDriverVersion", "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetMemoryInfo",
	"nvmlDeviceGetEncoderUtilization", "nvmlDeviceGetEncoderStats", "nvmlDeviceGetProcessUtilization",
	"nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetComputeRunningProcesses_v2", "nvmlDeviceGetComputeRunningProcesses_v3",
	"nvmlDeviceGetGraphicsRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses_v2", "nvmlDeviceGetGraphicsRunningProcesses_v3",
	"nvmlDeviceGetCurrentClocksThrottleReasons", "nvmlDeviceGetMigMode", "nvmlDeviceGetName", "nvmlDeviceGetUUID",
}

// open loads the library and starts it, or says why it could not.
func open() (library, string) {
	r := &real{nvml: driver.New(), can: map[string]bool{}}
	if code := r.nvml.Init(); code != driver.SUCCESS {
		return nil, words(code) // and nothing more is called
	}
	for _, name := range optional {
		r.can[name] = r.nvml.Extensions().LookupSymbol(name) == nil
	}
	if !r.can["nvmlDeviceGetUUID"] {
		return nil, "the driver is too old: its GPUs have no UUIDs"
	}
	if r.can["nvmlSystemGetDriverVersion"] {
		if v, code := r.nvml.SystemGetDriverVersion(); code == driver.SUCCESS {
			r.version = v
		}
	}
	return r, ""
}

// words says what a code means. The library's own words are not asked for: it
// may not have come up.
func words(code driver.Return) string {
	switch code {
	case driver.ERROR_LIBRARY_NOT_FOUND:
		return "no NVIDIA driver is installed (libnvidia-ml.so.1 was not found)"
	case driver.ERROR_DRIVER_NOT_LOADED:
		return "the NVIDIA driver is installed and not loaded"
	case driver.ERROR_LIB_RM_VERSION_MISMATCH:
		return "the NVIDIA driver and its library differ in version: restart the machine after the update"
	case driver.ERROR_NO_PERMISSION:
		return "the NVIDIA driver does not let this user read it"
	case driver.ERROR_NOT_SUPPORTED:
		return "not supported"
	case driver.ERROR_GPU_IS_LOST:
		return "the GPU is lost: it has fallen off the bus"
	case driver.ERROR_FUNCTION_NOT_FOUND:
		return "the NVIDIA library lacks a function: the driver is too old"
	}
	return fmt.Sprintf("NVML error %d", int(code))
}

func (r *real) read() Frame {
	count, code := r.nvml.DeviceGetCount()
	if code != driver.SUCCESS && len(r.cards) == 0 {
		return Frame{Error: words(code), Driver: r.version}
	}
	if code == driver.SUCCESS && count != len(r.cards) {
		r.find(count)
	}
	f := Frame{Driver: r.version, Devices: make([]Device, 0, len(r.cards))}
	for i := range r.cards {
		f.Devices = append(f.Devices, r.device(&r.cards[i]))
	}
	return f
}

// find looks for GPUs that are new. One that is gone stays, and cannot be read.
func (r *real) find(count int) {
	for i := range min(count, maxDevices) {
		handle, code := r.nvml.DeviceGetHandleByIndex(i)
		if code != driver.SUCCESS {
			continue
		}
		uuid, code := handle.GetUUID()
		if code != driver.SUCCESS || r.knows(uuid, handle) {
			continue
		}
		c := card{handle: handle, uuid: uuid}
		if r.can["nvmlDeviceGetName"] {
			c.name, _ = handle.GetName()
		}
		r.cards = append(r.cards, c)
	}
}

func (r *real) knows(uuid string, handle driver.Device) bool {
	for i := range r.cards {
		if r.cards[i].uuid == uuid {
			r.cards[i].handle = handle
			return true
		}
	}
	return false
}

func (r *real) device(c *card) Device {
	d := Device{UUID: c.uuid, Name: c.name}
	if r.can["nvmlDeviceGetMigMode"] {
		mode, _, code := c.handle.GetMigMode()
		d.MIG = code == driver.SUCCESS && mode == driver.DEVICE_MIG_ENABLE
	}
	if r.can["nvmlDeviceGetMemoryInfo"] {
		m, code := c.handle.GetMemoryInfo()
		switch code {
		case driver.SUCCESS:
			d.VRAM, d.VRAMTotal = number(float64(m.Used)), number(float64(m.Total))
		case driver.ERROR_GPU_IS_LOST, driver.ERROR_UNKNOWN, driver.ERROR_INVALID_ARGUMENT:
			d.Lost = words(code)
			return d
		}
	}
	d.Throttled = r.throttled(c)
	if !d.MIG { // a divided GPU has no utilisation
		r.load(c, &d)
	}
	r.processes(c, &d)
	return d
}

func (r *real) load(c *card, d *Device) {
	if r.can["nvmlDeviceGetUtilizationRates"] {
		if u, code := c.handle.GetUtilizationRates(); code == driver.SUCCESS {
			d.Util = number(float64(u.Gpu) / 100)
		}
	}
	if r.can["nvmlDeviceGetEncoderUtilization"] {
		if u, _, code := c.handle.GetEncoderUtilization(); code == driver.SUCCESS {
			d.Encoder = number(float64(u) / 100)
		}
	}
	if r.can["nvmlDeviceGetEncoderStats"] {
		if n, _, _, code := c.handle.GetEncoderStats(); code == driver.SUCCESS {
			d.EncoderSessions = number(float64(n))
		}
	}
}

// throttled says why a GPU's clocks are held down; empty where they are not, or
// where idleness or a setting is why.
func (r *real) throttled(c *card) string {
	if !r.can["nvmlDeviceGetCurrentClocksThrottleReasons"] {
		return ""
	}
	mask, code := c.handle.GetCurrentClocksThrottleReasons()
	if code != driver.SUCCESS {
		return ""
	}
	for _, x := range []struct {
		bit uint64
		why string
	}{
		{driver.ClocksThrottleReasonHwThermalSlowdown, "heat"}, {driver.ClocksThrottleReasonSwThermalSlowdown, "heat"},
		{driver.ClocksThrottleReasonHwPowerBrakeSlowdown, "the power supply's brake"}, {driver.ClocksThrottleReasonHwSlowdown, "heat or power"},
		{driver.ClocksThrottleReasonSwPowerCap, "its power limit"},
	} {
		if mask&x.bit != 0 {
			return x.why
		}
	}
	return ""
}

// unknownMemory is what the driver says of a process whose memory it does not
// tell.
const unknownMemory = ^uint64(0)

// processes lists who is on the GPU, with what each uses where that is told.
func (r *real) processes(c *card, d *Device) {
	all := map[int]*Process{}
	of := func(pid uint32) *Process {
		p := all[int(pid)]
		if p == nil {
			p = &Process{PID: int(pid)}
			all[int(pid)] = p
		}
		return p
	}
	for _, info := range r.running(c.handle) {
		if p := of(info.Pid); info.UsedGpuMemory != unknownMemory {
			p.VRAM = number(float64(info.UsedGpuMemory))
		}
	}
	if !d.MIG && r.can["nvmlDeviceGetProcessUtilization"] {
		r.utilisation(c, d, of)
	}
	d.Processes = make([]Process, 0, len(all))
	for _, p := range all {
		if d.PerProcess && p.Util == nil {
			p.Util, p.Encoder = number(0), number(0) // it has done nothing since
		}
		d.Processes = append(d.Processes, *p)
	}
}

// running are the processes that compute or draw, each once.
func (r *real) running(handle driver.Device) []driver.ProcessInfo {
	var list []driver.ProcessInfo
	has := func(name string) bool { return r.can[name] || r.can[name+"_v2"] || r.can[name+"_v3"] }
	if has("nvmlDeviceGetComputeRunningProcesses") {
		if more, code := handle.GetComputeRunningProcesses(); code == driver.SUCCESS {
			list = append(list, more...)
		}
	}
	if has("nvmlDeviceGetGraphicsRunningProcesses") {
		if more, code := handle.GetGraphicsRunningProcesses(); code == driver.SUCCESS {
			list = append(list, more...)
		}
	}
	return list
}

// utilisation is what processes did since the last reading: the mean of the
// driver's samples. None of them means that the GPU idled.
func (r *real) utilisation(c *card, d *Device, of func(pid uint32) *Process) {
	samples, code := c.handle.GetProcessUtilization(c.seen)
	if code == driver.ERROR_NOT_FOUND || (code == driver.ERROR_INSUFFICIENT_SIZE && len(samples) == 0) {
		d.PerProcess = true
		return
	}
	if code != driver.SUCCESS {
		return
	}
	d.PerProcess = true
	counts := map[uint32]float64{}
	for _, s := range samples {
		counts[s.Pid]++
	}
	for _, s := range samples {
		c.seen = max(c.seen, s.TimeStamp)
		p := of(s.Pid)
		if p.Util == nil {
			p.Util, p.Encoder = number(0), number(0)
		}
		*p.Util += share(s.SmUtil) / counts[s.Pid]
		*p.Encoder += share(s.EncUtil) / counts[s.Pid]
	}
}

func share(percent uint32) float64 { return float64(min(percent, 100)) / 100 }

func number(v float64) *float64 { return &v }
