//go:build !linux

package play

import (
	"errors"
	"net"
	"time"
)

// file is for Linux; elsewhere the net package's connections are used.
type file struct{ deadline int64 }

func (s *socket) adopt(*poller, net.Conn) (bool, error) { return false, nil }
func (s *socket) readFile([]byte) (int, error)          { return 0, errors.ErrUnsupported }
func (s *socket) writeFile([]byte) (int, error)         { return 0, errors.ErrUnsupported }
func (s *socket) flushFile(time.Duration) error         { return errors.ErrUnsupported }
func (s *socket) finishFile()                           {}
func (s *socket) cutFile()                              {}
func (s *socket) closeFile() error                      { return errors.ErrUnsupported }
