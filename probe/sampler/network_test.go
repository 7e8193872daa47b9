package sampler

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

const (
	routes6 = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003     wan6\n" +
		"fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001     eth9\n" +
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
	routes4 = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU\nwan 00000000 010200C0 0003 0 0 0 00000000 0\nwan 000200C0 0 1 0 0 0 00FFFFFF 0\ntun 00000000 0 1 0 0 0 00000080 0\n"
)

func TestParseRoutes(t *testing.T) {
	if got := parseRoutes(routes4); !slices.Equal(got, []string{"wan"}) {
		t.Errorf("got %v", got)
	}
	if got := parseRoutes6(routes6); !slices.Equal(got, []string{"wan6"}) {
		t.Errorf("got %v", got)
	}
}

func FuzzRoutes(f *testing.F) {
	f.Add(routes4)
	f.Add(routes6)
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range append(parseRoutes(text), parseRoutes6(text)...) {
			if name == "" || loopback(name) || !strings.Contains(text, name) {
				t.Errorf("%q gives the interface %q", text, name)
			}
		}
	})
}

// TestOtherInterfaces: a bridge carries the same bytes again, and one that
// comes, goes or counts anew is no traffic.
func TestOtherInterfaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, Options{})
		f.Read(t.Context())
		f.put("proc/net/dev", netDev(1500, 99999))
		f.is("egress", f.next().EgressBps, 4000)
		f.put("proc/net/dev", netDev(100, 99999)) // the driver was loaded anew
		f.is("egress of a counter that fell", f.next().EgressBps, unknown)
		f.put("proc/net/dev", strings.ReplaceAll(netDev(100, 0), "eth0", "eth1"))
		f.put("proc/net/route", strings.ReplaceAll(machine()["proc/net/route"], "eth0", "eth1"))
		f.is("egress of another interface", f.next().EgressBps, unknown)
		f.put("proc/net/dev", strings.ReplaceAll(netDev(350, 0), "eth0", "eth1"))
		f.is("egress over that", f.next().EgressBps, 2000)
		f.put("proc/net/route", "Iface\n")
		f.put("proc/net/dev", netDev(1000, 1000)) // no route says which: all count
		f.is("egress at first", f.next().EgressBps, unknown)
		f.put("proc/net/dev", netDev(1250, 1250))
		f.is("egress over all", f.next().EgressBps, 4000)
	})
}

func TestStatedInterfaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, Options{Interfaces: []string{"docker0"}})
		f.Read(t.Context())
		f.put("proc/net/dev", netDev(9000, 5125))
		f.is("egress", f.next().EgressBps, 1000)
		f.put("proc/net/dev", strings.ReplaceAll(netDev(9000, 0), "docker0", "gone0"))
		f.is("egress of one that is gone", f.next().EgressBps, unknown)
		if !strings.Contains(f.log.String(), `there is no interface \"docker0\"`) {
			t.Errorf("the log says %s", &f.log)
		}
	})
}
