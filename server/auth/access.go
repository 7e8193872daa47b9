package auth

import (
	"net/http"
)

// Access joins the parts for the HTTP edge.
type Access struct {
	Operators *Operators
	Hosts     *Hosts
	Origins   Origins
	Proxies   Proxies
}

// Operator names who makes an operator's call, and says whether a cookie did.
func (a Access) Operator(r *http.Request) (name string, cookie bool, err error) {
	return a.Operators.Operator(r)
}

// Login sets the session's cookie if the password is right.
func (a Access) Login(w http.ResponseWriter, r *http.Request, name, password string) error {
	c, err := a.Operators.Login(r.Context(), Credentials{Name: name, Password: password, Address: a.Address(r)})
	if err != nil {
		return err
	}
	http.SetCookie(w, c)
	return nil
}

// Logout ends the call's session. The browser forgets the cookie even if that
// could not be written down; then the error says so.
func (a Access) Logout(w http.ResponseWriter, r *http.Request) error {
	c, err := a.Operators.Logout(r)
	http.SetCookie(w, c)
	return err
}

// Revoke makes the token that a host was given worthless.
func (a Access) Revoke(host string) error { return a.Hosts.Revoke(host) }

// CheckHost checks the call's token for the named host.
func (a Access) CheckHost(r *http.Request, host string) (Grant, error) {
	return a.Hosts.Check(Bearer(r), host)
}

// OriginAllowed says whether the page that calls may.
func (a Access) OriginAllowed(r *http.Request) bool { return a.Origins.Allowed(r) }

// Address is the client's, behind trusted proxies.
func (a Access) Address(r *http.Request) string { return a.Proxies.Client(r) }
