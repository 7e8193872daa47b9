package journal_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/rendergate/rendergate/server/journal"
)

func open(t *testing.T, dir string) (*journal.Journal, *journal.Pool) {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := j.Pool(t.Context(), "test")
	if err != nil {
		t.Fatal(err)
	}
	return j, p
}

func TestAnAppendBehindAnotherIsRefused(t *testing.T) {
	j, p := open(t, t.TempDir())
	defer j.Close()
	first := journal.Record{ID: "a", After: 0, Data: []byte("one")}
	seq, err := p.Append(t.Context(), first)
	if err != nil || seq != 1 {
		t.Fatalf("append: %d, %v", seq, err)
	}
	other := journal.Record{ID: "b", After: 0, Data: []byte("two")}
	if _, err := p.Append(t.Context(), other); !errors.Is(err, journal.ErrConflict) {
		t.Errorf("an append that expects an older sequence: %v, want ErrConflict", err)
	}
	for name, c := range map[string]struct {
		record journal.Record
		seq    uint64
		err    error
	}{
		"landed":    {first, 1, nil},
		"another's": {other, 0, journal.ErrConflict},
		"nothing":   {journal.Record{ID: "c", After: 1}, 0, nil},
	} {
		if seq, err := p.Resolve(t.Context(), c.record); seq != c.seq || !errors.Is(err, c.err) {
			t.Errorf("%s: resolved to %d, %v; want %d, %v", name, seq, err, c.seq, c.err)
		}
	}
}

func TestReopenedItIsTheSameJournal(t *testing.T) {
	dir := t.TempDir()
	j, p := open(t, dir)
	identity := p.Identity()
	for i := range uint64(3) {
		if _, err := p.Append(t.Context(), journal.Record{ID: string(rune('a' + i)), After: i, Data: []byte{byte(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	j, p = open(t, dir)
	defer j.Close()
	if p.Identity() != identity || identity == "" {
		t.Errorf("identity %q, want %q", p.Identity(), identity)
	}
	var got []byte
	last, err := p.Replay(t.Context(), 1, func(_ uint64, data []byte) error { got = append(got, data...); return nil })
	if err != nil || last != 3 || string(got) != "\x01\x02" {
		t.Errorf("replay after 1: %v up to %d, %v", got, last, err)
	}
}

func TestAFolderBelongsToOneProcess(t *testing.T) {
	dir := t.TempDir()
	j, _ := open(t, dir)
	defer j.Close()
	_, err := journal.Open(t.Context(), journal.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second opening: %v; want an error that names %s", err, dir)
	}
}

func TestRecordsAreKeptForTheSecondNewestSnapshot(t *testing.T) {
	j, p := open(t, t.TempDir())
	defer j.Close()
	for i := range uint64(9) {
		if _, err := p.Append(t.Context(), journal.Record{ID: string(rune('a' + i)), After: i, Data: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		if seq := i + 1; seq%3 == 0 {
			if err := p.SaveSnapshot(t.Context(), seq, []byte{byte(seq)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	bad := errors.New("bad")
	seq, err := p.Snapshots(t.Context(), func(data []byte) error {
		if data[0] == 9 {
			return bad
		}
		return nil
	})
	if err != nil || seq != 6 {
		t.Fatalf("with the newest bad, snapshot %d, %v; want 6", seq, err)
	}
	count := 0
	if _, err := p.Replay(t.Context(), 6, func(uint64, []byte) error { count++; return nil }); err != nil || count != 3 {
		t.Errorf("%d records after it, %v; want 3", count, err)
	}
	if _, err := p.Replay(t.Context(), 3, func(uint64, []byte) error { return nil }); err == nil {
		t.Error("records before the older snapshot are still there: nothing was purged")
	}
}

func TestTheAuditTrailPages(t *testing.T) {
	j, p := open(t, t.TempDir())
	defer j.Close()
	for record := range uint64(3) {
		entries := []journal.AuditEntry{{Type: "a"}, {Type: "b", By: "ops"}}
		for range 2 { // repeated, as after a crash
			if err := p.Audit(t.Context(), record+1, entries); err != nil {
				t.Fatal(err)
			}
		}
	}
	var types string
	var after uint64
	for {
		page, err := p.List(t.Context(), after, 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			types += e.Type
			after = e.Seq
		}
	}
	if types != "ababab" {
		t.Errorf("paged to %q, want ababab", types)
	}
	if last, err := p.LastAudited(t.Context()); err != nil || last != 3 {
		t.Errorf("last audited %d, %v; want 3", last, err)
	}
}
