// Package nvml reads NVIDIA GPUs through a child process. A driver's library
// that crashes or hangs takes only that process along, never the gate and the
// sessions; it is started again.
package nvml
