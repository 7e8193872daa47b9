package nvml

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// library reads the GPUs; it is only ever called by one goroutine.
type library interface {
	read() Frame
}

// Child is the child's program: it answers each line of in with a frame, until
// in ends. Where there is no driver it says so at the first line, and ends:
// after a failed start nothing of the driver's library may be called.
func Child(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	if !lines.Scan() {
		return lines.Err()
	}
	l, reason := open()
	if l == nil {
		return write(out, Frame{Error: reason})
	}
	for {
		if err := write(out, l.read()); err != nil {
			return err
		}
		if !lines.Scan() {
			return lines.Err()
		}
	}
}

func write(out io.Writer, f Frame) error {
	if f.Devices == nil {
		f.Devices = []Device{}
	}
	data, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("a frame: %w", err)
	}
	_, err = out.Write(append(data, '\n'))
	return err
}

// Environment is the environment for the child: without LD_BIND_NOW, with which
// a function that an older driver lacks would end it at once, and with a small
// heap.
func Environment() []string {
	env := make([]string, 0, len(os.Environ())+3)
	for _, v := range os.Environ() {
		if !hasName(v, "LD_BIND_NOW") && !hasName(v, "GOMAXPROCS") && !hasName(v, "GOMEMLIMIT") {
			env = append(env, v)
		}
	}
	return append(env, "GOMAXPROCS=1", "GOMEMLIMIT=16MiB", "GOGC=50")
}

func hasName(variable, name string) bool {
	return len(variable) > len(name) && variable[:len(name)] == name && variable[len(name)] == '='
}
