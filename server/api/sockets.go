package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/rendergate/rendergate/admission"
)

func (a *api) play(c echo.Context) error {
	p, err := a.pool(c)
	if err != nil {
		return err
	}
	if !upgrade(c.Request()) {
		return wantSocket("rendergate.v1")
	}
	p.Play.Connect(c.Response().Writer, c.Request(), a.Access.Address(c.Request()))
	return nil
}

func upgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

func wantSocket(protocol string) error {
	return problemf(http.StatusUpgradeRequired, "want_websocket", "this is a WebSocket, subprotocol %s", protocol)
}

func (a *api) watch(c echo.Context) error {
	if !upgrade(c.Request()) {
		return wantSocket("rendergate.watch.v1")
	}
	return a.Relay.Watch(c.Response().Writer, c.Request(), c.Param("session"))
}

func (a *api) connectHost(c echo.Context) error {
	caller, err := a.Access.Host(c.Request(), c.Param("host"))
	if err != nil {
		return problemf(http.StatusUnauthorized, "unauthorized", "%v", err)
	}
	if !upgrade(c.Request()) {
		return wantSocket("rendergate.host.v1")
	}
	return a.Hosts.Connect(c.Response().Writer, c.Request(), caller)
}

func (a *api) publish(c echo.Context) error {
	caller, err := a.Access.Host(c.Request(), c.Param("host"))
	if err != nil {
		return problemf(http.StatusUnauthorized, "unauthorized", "%v", err)
	}
	if caller.Enrol {
		return problemf(http.StatusUnauthorized, "unauthorized", "this token only enrols")
	}
	session := c.Param("session")
	for _, p := range a.Pools {
		on := ""
		err := a.read(c, p, func(_ time.Time, pool *admission.Pool) {
			if s, ok := pool.Session(session); ok {
				on = s.Host
			}
		})
		if err != nil {
			return err
		}
		if on != caller.Host {
			continue
		}
		if !upgrade(c.Request()) {
			return wantSocket("rendergate.publish.v1")
		}
		return a.Relay.Publish(c.Response().Writer, c.Request(), session)
	}
	return problemf(http.StatusNotFound, "unknown_session", "no session %q on host %q", session, caller.Host)
}
