package relay

import (
	"testing"
	"time"

	"github.com/rendergate/rendergate/probe/wire"
)

func stream1(t *testing.T) *stream {
	t.Helper()
	s := newStream()
	if err := s.begin(wire.StreamInfo{Mime: "video/mp4"}); err != nil {
		t.Fatal(err)
	}
	return s
}

func add(t *testing.T, s *stream, kinds ...byte) {
	t.Helper()
	for i, kind := range kinds {
		if err := s.add(kind, make([]byte, 100+i)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestANewcomerStartsAtAKeyChunk(t *testing.T) {
	s := stream1(t)
	var c cursor
	add(t, s, wire.ChunkInit, wire.ChunkDelta)
	if step := s.read(&c); step.wait == nil {
		t.Fatal("something is sent before the first key chunk")
	}
	add(t, s, wire.ChunkKey, wire.ChunkDelta, wire.ChunkKey, wire.ChunkDelta)
	if step := s.read(&c); step.header == nil || step.init == nil {
		t.Fatal("no header or initialisation first")
	}
	if step := s.read(&c); step.chunk == nil || !step.chunk.key || step.chunk.size != 102 {
		t.Errorf("first chunk is %+v, want the newest key chunk", step.chunk)
	}
}

func TestASlowOneSkipsToTheNewestKeyChunk(t *testing.T) {
	s := stream1(t)
	var c cursor
	add(t, s, wire.ChunkKey)
	s.read(&c) // header
	s.read(&c) // the key chunk
	for range maxLag + 5 {
		add(t, s, wire.ChunkDelta)
	}
	add(t, s, wire.ChunkKey)
	if step := s.read(&c); step.chunk == nil || !step.chunk.key {
		t.Errorf("got %+v, want the newest key chunk", step.chunk)
	}
	if step := s.read(&c); step.wait == nil {
		t.Error("it is not up to date after the skip")
	}
}

func TestAnotherPublisherBeginsAnew(t *testing.T) {
	s := stream1(t)
	var c cursor
	add(t, s, wire.ChunkKey)
	s.read(&c)
	s.read(&c)
	s.end(s.currentEpoch())
	if err := s.begin(wire.StreamInfo{Mime: "image/jpeg"}); err != nil {
		t.Fatal(err)
	}
	add(t, s, wire.ChunkKey)
	if step := s.read(&c); step.header == nil {
		t.Error("no new header for the new publisher")
	}
}

func TestABucketHoldsTheRate(t *testing.T) {
	now := time.Unix(0, 0)
	b := bucket{since: now}
	sent := 0
	for range 1000 { // 10 s of 100 chunks a second, 80 kbit each: 8 Mbit/s
		now = now.Add(10 * time.Millisecond)
		if b.take(now, 10_000, 2e6) {
			sent += 80_000
		}
	}
	if rate := float64(sent) / 10; rate < 1.8e6 || rate > 2.4e6 {
		t.Errorf("%.0f bit/s got through, want about 2 Mbit/s", rate)
	}
}
