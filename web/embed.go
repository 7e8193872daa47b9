// Package web holds what browsers load: the play page, the operator page and
// the client library, as built by Vite into dist.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Pages returns the built pages: index.html (play), admin.html (operators),
// rendergate-client.js and what they load under assets. It is false if this
// program was built without them; then only the placeholder is there.
func Pages() (fs.FS, bool) {
	pages, err := fs.Sub(dist, "dist")
	if err != nil {
		return dist, false
	}
	return pages, built(pages)
}

func built(pages fs.FS) bool {
	for _, name := range []string{"index.html", "admin.html"} {
		if info, err := fs.Stat(pages, name); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}
