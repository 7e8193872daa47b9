package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/rendergate/rendergate/probe/nvml"
)

type nvmlCommand struct {
	Once bool `help:"Read once, and print it for people."`
}

// Run reads the GPUs for a probe, which asks on standard input.
func (c nvmlCommand) Run() error {
	if !c.Once {
		return nvml.Child(os.Stdin, os.Stdout)
	}
	var out, pretty bytes.Buffer
	if err := nvml.Child(strings.NewReader("read\n"), &out); err != nil {
		return err
	}
	if err := json.Indent(&pretty, out.Bytes(), "", "  "); err != nil {
		return err
	}
	_, err := fmt.Print(pretty.String())
	return err
}
