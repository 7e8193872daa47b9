package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rendergate/rendergate/server/auth"
	"github.com/rendergate/rendergate/server/config"
)

type configCommand struct {
	Check        checkCommand `cmd:"" help:"Says what is wrong with a config of the service, with line and column."`
	HashPassword hashCommand  `cmd:"" help:"Reads a password from standard input and prints its hash for the config."`
}

type checkCommand struct {
	File string `arg:"" help:"The config of the service."`
}

// Run checks the file.
func (c checkCommand) Run() error {
	loaded, err := config.Load(c.File)
	if err != nil {
		return usageError{err}
	}
	for _, w := range loaded.Warnings() {
		fmt.Fprintln(os.Stderr, "warning:", w)
	}
	_, err = fmt.Println(c.File + ": ok")
	return err
}

type hashCommand struct{}

// Run hashes the password.
func (hashCommand) Run() error {
	data, err := io.ReadAll(io.LimitReader(os.Stdin, 4096))
	if err != nil {
		return fmt.Errorf("reading the password: %w", err)
	}
	hash, err := auth.HashPassword(strings.TrimRight(string(data), "\r\n"))
	if err != nil {
		return usageError{err}
	}
	_, err = fmt.Println(hash)
	return err
}
