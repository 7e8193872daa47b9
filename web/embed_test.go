package web

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestPlaceholderIsAlwaysThere(t *testing.T) {
	pages, _ := Pages()
	if _, err := fs.Stat(pages, "PLACEHOLDER.md"); err != nil {
		t.Errorf("without it a fresh clone does not build: %v", err)
	}
}

func TestBuilt(t *testing.T) {
	page := &fstest.MapFile{Data: []byte("<!doctype html>")}
	tests := []struct {
		name string
		in   fstest.MapFS
		want bool
	}{
		{"only the placeholder", fstest.MapFS{"PLACEHOLDER.md": page}, false},
		{"the play page alone", fstest.MapFS{"index.html": page}, false},
		{"both pages", fstest.MapFS{"index.html": page, "admin.html": page}, true},
		{"a folder by the name of a page", fstest.MapFS{"index.html": page, "admin.html/x": page}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := built(tt.in); got != tt.want {
				t.Errorf("built = %v, want %v", got, tt.want)
			}
		})
	}
}
