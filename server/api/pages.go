package api

import (
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"
)

// pageCSP lets pages load from here alone. frame-src is open, since sessions
// stand at the gates of hosts that come and go; img blob: is for the frames
// that spectators draw.
const pageCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
	"connect-src 'self' ws: wss:; frame-src http: https:; font-src 'self'; manifest-src 'self'; media-src 'self' blob:; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Rendergate: pages not built</title>
<h1>The pages are not built</h1>
<p>This server was built without its pages. Build them with <code>make build</code> (needs Node 20 and npm), then start
<code>bin/rendergate</code>. Everything but the pages works: see <a href="/openapi.json">/openapi.json</a>.</p></html>
`

func (a *api) pageRoutes(e *echo.Echo) {
	e.GET("/", a.page("index.html"))
	e.GET("/admin", a.page("admin.html"))
	e.GET("/admin/", a.page("admin.html"))
	e.GET("/*", a.asset)
}

func (a *api) page(name string) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", pageCSP)
		h.Set("Cache-Control", "no-cache")
		if !a.Built {
			return c.HTML(http.StatusServiceUnavailable, notBuilt)
		}
		data, err := fs.ReadFile(a.Pages, name)
		if err != nil {
			return err
		}
		return c.HTMLBlob(http.StatusOK, data)
	}
}

// asset serves what the pages load. Built names carry a hash, so browsers may keep them.
func (a *api) asset(c echo.Context) error {
	name := strings.TrimPrefix(path.Clean("/"+c.Param("*")), "/")
	info, err := fs.Stat(a.Pages, name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() || !a.Built {
		return problemf(http.StatusNotFound, "not_found", "nothing is at %q", c.Request().URL.Path)
	}
	if err != nil {
		return err
	}
	if strings.HasPrefix(name, "assets/") {
		c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeFileFS(c.Response(), c.Request(), a.Pages, name)
	return nil
}
