package whole

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkProbeOverhead is what a probe costs its host: the probe itself, the
// process that reads four (scripted) GPUs, and the guard, with twenty sessions
// and a sample a second.
func BenchmarkProbeOverhead(b *testing.B) {
	scriptGPUs(b, "gpus 4\nd0.util 40\nd1.util 30\nd2.util 20\nd3.util 10\n")
	command, _ := asleep(b)
	y := start(b, setup{Seats: 20, Cost: 0.01, Share: 64, Period: "1s", Command: command})
	for range 20 {
		y.come().until("seated")
	}
	parts := family(b, y.probe.cmd.Process.Pid)
	const seconds = 20
	before := use(b, parts)
	began := time.Now()
	<-time.After(seconds * time.Second)
	after := use(b, parts)
	b.ReportMetric(100*(after.cpu-before.cpu)/time.Since(began).Seconds(), "%-of-a-core")
	b.ReportMetric(after.memory/(1<<20), "MiB")
	b.ReportMetric(after.unique/(1<<20), "MiB-unshared")
	b.ReportMetric(float64(len(parts)), "processes")
	b.ReportMetric(0, "ns/op")
}

// family is the process and its children that are of the program.
func family(b *testing.B, root int) []int {
	b.Helper()
	all := []int{root}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f) //nolint:gosec // of the kernel
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(data), ") ")
		fields := strings.Fields(after)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		if err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(root) && strings.Contains(string(data), "(rendergate)") {
			all = append(all, pid)
		}
	}
	return all
}

type used struct{ cpu, memory, unique float64 }

func use(b *testing.B, pids []int) used {
	b.Helper()
	var sum used
	for _, pid := range pids {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			b.Fatal(err)
		}
		_, after, _ := strings.Cut(string(data), ") ")
		fields := strings.Fields(after)
		for _, i := range []int{11, 12} { // utime, stime in hundredths
			n, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				b.Fatal(err)
			}
			sum.cpu += n / 100
		}
		rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			b.Fatal(err)
		}
		sum.memory += kilobytes(string(rollup), "Pss:") * 1024
		sum.unique += (kilobytes(string(rollup), "Private_Dirty:") + kilobytes(string(rollup), "Private_Clean:")) * 1024
	}
	return sum
}

func kilobytes(text, name string) float64 {
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, name); found {
			n, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return n
		}
	}
	return 0
}
