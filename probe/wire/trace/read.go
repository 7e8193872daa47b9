package trace

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds one line: a snapshot of a pool in which hundreds of thousands
// wait still fits.
const maxLine = 256 << 20

// Read reads a trace: the header, then each line by its number, counted from 1
// for the header. Gzip is told from its first bytes. Errors name the line.
//
// A last line that is damaged, as a crash leaves it, is no error: damage says
// what is wrong with it, and is empty if nothing is.
func Read(r io.Reader, begin func(Header) error, each func(line []byte) error) (damage string, err error) {
	in, err := unzip(r)
	if err != nil {
		return "", err
	}
	lines := &lines{in: in}
	first, last, broken := lines.next()
	if len(first) == 0 {
		return "", errors.Join(errors.New("line 1: it is empty; want the header of a trace"), broken)
	}
	h, err := decodeHeader(first)
	if err == nil {
		err = begin(h)
	}
	if err != nil {
		return "", fmt.Errorf("line 1: %w", err)
	}
	for !last {
		var line []byte
		line, last, broken = lines.next()
		switch {
		case len(line) == 0:
			continue
		case json.Valid(line):
			err = each(line)
		case last:
			return fmt.Sprintf("line %d: damaged, and left out: %.60q", lines.n, line), nil
		default:
			err = fmt.Errorf("not JSON: %.60q", line)
		}
		if err != nil {
			return "", fmt.Errorf("line %d: %w", lines.n, err)
		}
	}
	if broken != nil {
		return fmt.Sprintf("line %d: it ends there, damaged: %v", lines.n, broken), nil
	}
	return "", nil
}

func unzip(r io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := in.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) { // what is shorter is no gzip
		return in, nil
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(z, 64<<10), nil
}

// lines reads line after line.
type lines struct {
	in *bufio.Reader
	n  int // of the newest, from 1
}

// next gives the next line without its end, and whether it is the last. The
// error is that of reading on, unless there is just no more.
func (l *lines) next() (line []byte, last bool, err error) {
	l.n++
	for {
		part, err := l.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, true, fmt.Errorf("more than %d bytes without an end of line", maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return bytes.TrimSpace(line), true, err
		}
		_, err = l.in.Peek(1)
		if errors.Is(err, io.EOF) {
			err = nil
			return bytes.TrimSpace(line), true, err
		}
		return bytes.TrimSpace(line), err != nil, err
	}
}
