package ratelimit

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func request(peer string, forwarded ...string) *http.Request {
	r := &http.Request{RemoteAddr: peer, Header: http.Header{}}
	for _, line := range forwarded {
		r.Header.Add("X-Forwarded-For", line)
	}
	return r
}

func TestClient(t *testing.T) {
	t.Parallel()
	trusting, err := ParseProxies([]string{"10.0.0.0/8", " 192.0.2.7 ", "fd00::/8", "::ffff:172.16.0.0/108"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		proxies   Proxies
		peer      string
		forwarded []string
		want      string
	}{
		"no proxy is trusted":                 {Proxies{}, "10.0.0.1:99", []string{"1.1.1.1"}, "10.0.0.1"},
		"peer is not trusted":                 {trusting, "198.51.100.1:99", []string{"1.1.1.1"}, "198.51.100.1"},
		"trusted peer, no header":             {trusting, "10.0.0.1:99", nil, "10.0.0.1"},
		"trusted peer, empty header":          {trusting, "10.0.0.1:99", []string{""}, "10.0.0.1"},
		"one hop":                             {trusting, "10.0.0.1:99", []string{"1.1.1.1"}, "1.1.1.1"},
		"what the client wrote is not read":   {trusting, "10.0.0.1:99", []string{"9.9.9.9, 1.1.1.1"}, "1.1.1.1"},
		"client claims to be a proxy":         {trusting, "10.0.0.1:99", []string{"10.9.9.9, 1.1.1.1"}, "1.1.1.1"},
		"two trusted hops":                    {trusting, "10.0.0.1:99", []string{"9.9.9.9, 1.1.1.1, 192.0.2.7"}, "1.1.1.1"},
		"all are trusted: the first":          {trusting, "10.0.0.1:99", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"several headers, the last is ours":   {trusting, "10.0.0.1:99", []string{"9.9.9.9", "1.1.1.1, 10.0.0.2"}, "1.1.1.1"},
		"headers go on to the left":           {trusting, "10.0.0.1:99", []string{"9.9.9.9, 1.1.1.1", "10.0.0.2"}, "1.1.1.1"},
		"garbage next to us":                  {trusting, "10.0.0.1:99", []string{"1.1.1.1, unknown"}, "10.0.0.1"},
		"garbage beyond a trusted hop":        {trusting, "10.0.0.1:99", []string{"1.1.1.1, <script>, 10.0.0.2"}, "10.0.0.2"},
		"empty element":                       {trusting, "10.0.0.1:99", []string{"1.1.1.1,"}, "10.0.0.1"},
		"spaces and port":                     {trusting, "10.0.0.1:99", []string{"9.9.9.9 ,  1.1.1.1:4711 "}, "1.1.1.1"},
		"IPv6":                                {trusting, "[fd00::1]:99", []string{"2001:db8::5"}, "2001:db8::5"},
		"IPv6 in brackets":                    {trusting, "[fd00::1]:99", []string{"[2001:db8::5]"}, "2001:db8::5"},
		"IPv6 with port":                      {trusting, "[fd00::1]:99", []string{"[2001:db8::5]:4711"}, "2001:db8::5"},
		"IPv6 with zone":                      {trusting, "[fd00::1%eth0]:99", []string{"fe80::1%evil"}, "fe80::1"},
		"IPv4 in IPv6 peer":                   {trusting, "[::ffff:10.0.0.1]:99", []string{"::ffff:1.1.1.1"}, "1.1.1.1"},
		"proxy network given as IPv4 in IPv6": {trusting, "172.16.3.4:99", []string{"1.1.1.1"}, "1.1.1.1"},
		"peer without port":                   {trusting, "10.0.0.1", []string{"1.1.1.1"}, "1.1.1.1"},
		"Unix socket":                         {trusting, "@", []string{"1.1.1.1"}, "invalid IP"},
		"leading zeros are no address":        {trusting, "10.0.0.1:99", []string{"01.1.1.1"}, "10.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.proxies.Client(request(c.peer, c.forwarded...)).String(); got != c.want {
				t.Errorf("Client = %s, want %s", got, c.want)
			}
		})
	}
}

func TestClient_reads_a_bounded_number_of_hops(t *testing.T) {
	t.Parallel()
	p := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	r := request("10.0.0.1:99", "1.1.1.1"+strings.Repeat(",10.0.0.2", 100))
	if got := p.Client(r).String(); got != "10.0.0.2" {
		t.Errorf("Client = %s, want the last hop that was read", got)
	}
}

func TestParseProxies_refuses(t *testing.T) {
	t.Parallel()
	bad := []string{"", "10.0.0.0/33", "example.com", "0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96", "fe80::1%eth0", "10.0.0.1:80"}
	_, err := ParseProxies(append([]string{"10.0.0.0/8"}, bad...))
	if err == nil {
		t.Fatal("no error")
	}
	for _, s := range bad {
		if !strings.Contains(err.Error(), `"`+s+`"`) {
			t.Errorf("%q is not reported in: %v", s, err)
		}
	}
	if strings.Contains(err.Error(), `"10.0.0.0/8"`) {
		t.Error("the good one is reported")
	}
}

func TestLimitKey(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.1":            "192.0.2.1",
		"::ffff:192.0.2.1":     "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2::1":      "2001:db8:1:2::/64",
		"2001:db8:1:3::1":      "2001:db8:1:3::/64",
		"fe80::1%eth0":         "fe80::/64",
	} {
		if got := LimitKey(netip.MustParseAddr(in)); got != want {
			t.Errorf("LimitKey(%s) = %q, want %q", in, got, want)
		}
	}
	if got := LimitKey(netip.Addr{}); got != "unknown" {
		t.Errorf("LimitKey of no address = %q", got)
	}
}

// A client cannot choose its address: an untrusted peer's header has no effect,
// and behind one proxy only the entry that the proxy appended counts.
func FuzzClient(f *testing.F) {
	f.Add("1.1.1.1, 10.0.0.2", "[2001:db8::1]:80", "@")
	f.Add("::ffff:10.0.0.1,,", "fe80::1%x", "10.0.0.1:1")
	f.Fuzz(func(t *testing.T, one, two, peer string) {
		p := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
		outside := netip.MustParseAddr("198.51.100.9")
		if got := p.Client(request("198.51.100.9:80", one, two)); got != outside {
			t.Errorf("peer outside: Client = %s", got)
		}
		for _, lines := range [][]string{{one, two + ",198.51.100.9"}, {one, two, "198.51.100.9:80"}} {
			if got := p.Client(request("10.0.0.1:80", lines...)); got != outside {
				t.Errorf("behind a proxy: Client = %s of %q", got, lines)
			}
		}
		got := p.Client(request(peer, one, two))
		if got.Zone() != "" || got.Is4In6() || LimitKey(got) == "" {
			t.Errorf("Client = %s is not plain", got)
		}
	})
}
