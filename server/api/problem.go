package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/rendergate/rendergate/admission"
	"github.com/rendergate/rendergate/server/owner"
)

// problem is an error as RFC 9457 has it.
type problem struct {
	Type      string           `json:"type"`
	Title     string           `json:"title"`
	Status    int              `json:"status"`
	Detail    string           `json:"detail,omitempty"`
	Code      string           `json:"code"`
	BlockedBy *admission.Block `json:"blocked_by,omitempty"`
}

func (p *problem) Error() string { return p.Detail }

func problemf(status int, code, format string, args ...any) error {
	return &problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code,
		Detail: fmt.Sprintf(format, args...),
	}
}

// statusOf is the one table from a refusal of the core to an HTTP status.
var statusOf = map[admission.RefusalCode]int{ //nolint:gochecknoglobals // a constant table
	admission.RefusedQueueFull:      http.StatusConflict,
	admission.RefusedUnknownApp:     http.StatusNotFound,
	admission.RefusedUnknownClass:   http.StatusUnprocessableEntity,
	admission.RefusedUnknownOffer:   http.StatusNotFound,
	admission.RefusedUnknownSession: http.StatusNotFound,
	admission.RefusedUnknownEntry:   http.StatusNotFound,
	admission.RefusedUnknownHost:    http.StatusNotFound,
	admission.RefusedUnknownClient:  http.StatusNotFound,
	admission.RefusedIdentity:       http.StatusForbidden,
	admission.RefusedInvalid:        http.StatusUnprocessableEntity,
}

func refusalProblem(r *admission.Refusal) error {
	status, ok := statusOf[r.Code]
	if !ok {
		status = http.StatusConflict
	}
	return &problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: string(r.Code),
		Detail: r.Message, BlockedBy: r.Blocked,
	}
}

// answerError is where every error of a handler becomes an answer.
func (a *api) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	p := a.asProblem(err, c)
	c.Response().Header().Set(echo.HeaderContentType, "application/problem+json")
	if err := c.JSON(p.Status, p); err != nil {
		a.Log.Debug("answering an error", "err", err)
	}
}

func (a *api) asProblem(err error, c echo.Context) *problem {
	var p *problem
	var he *echo.HTTPError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &he):
		return &problem{
			Type: "about:blank", Title: http.StatusText(he.Code), Status: he.Code, Code: "http",
			Detail: fmt.Sprint(he.Message),
		}
	case errors.Is(err, owner.ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return &problem{
			Type: "about:blank", Title: "Service Unavailable", Status: http.StatusServiceUnavailable,
			Code: "busy", Detail: err.Error(),
		}
	}
	a.Log.Error("a call failed", "method", c.Request().Method, "path", c.Path(), "err", err)
	return &problem{
		Type: "about:blank", Title: "Internal Server Error", Status: http.StatusInternalServerError,
		Code: "internal", Detail: "this server could not do it; its log says why",
	}
}
