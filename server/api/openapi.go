package api

import (
	_ "embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

// openAPIDocument describes every call; a test holds it to the routes.
//
//go:embed openapi.json
var openAPIDocument []byte

func (a *api) openAPI(c echo.Context) error {
	return c.JSONBlob(http.StatusOK, openAPIDocument)
}
