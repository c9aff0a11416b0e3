package outbound

import (
	"errors"
	"net/netip"
	"net/url"
	"testing"
)

func TestCheckAddress(t *testing.T) {
	t.Parallel()
	strict := New(Options{})
	dev := New(Options{AllowPrivate: true})
	for addr, want := range map[string]class{
		"1.1.1.1":                public,
		"8.8.8.8":                public,
		"172.15.255.255":         public,
		"172.32.0.0":             public,
		"100.63.255.255":         public,
		"100.128.0.0":            public,
		"2606:4700::1111":        public,
		"2a00::1":                public,
		"::ffff:1.1.1.1":         public,
		"64:ff9b::1.1.1.1":       public,
		"127.0.0.1":              private,
		"127.255.255.254":        private,
		"::1":                    private,
		"10.0.0.1":               private,
		"172.16.0.1":             private,
		"172.31.255.255":         private,
		"192.168.1.1":            private,
		"100.64.0.1":             private,
		"100.127.255.255":        private,
		"fc00::1":                private,
		"fdff::1":                private,
		"::ffff:127.0.0.1":       private,
		"::ffff:10.0.0.1":        private,
		"64:ff9b::127.0.0.1":     private,
		"64:ff9b::10.0.0.1":      private,
		"0.0.0.0":                reserved,
		"0.1.2.3":                reserved,
		"::":                     reserved,
		"169.254.169.254":        reserved,
		"::ffff:169.254.169.254": reserved,
		"64:ff9b::a9fe:a9fe":     reserved,
		"64:ff9b:1::1.1.1.1":     reserved,
		"fe80::1":                reserved,
		"fe80::1%eth0":           reserved,
		"fec0::1":                reserved,
		"224.0.0.1":              reserved,
		"239.255.255.255":        reserved,
		"ff02::1":                reserved,
		"240.0.0.1":              reserved,
		"255.255.255.255":        reserved,
		"192.0.0.1":              reserved,
		"192.0.2.1":              reserved,
		"198.18.0.1":             reserved,
		"203.0.113.1":            reserved,
		"2001:db8::1":            reserved,
		"2001:0:7f00:1::":        reserved, // Teredo
		"2002:7f00:1::":          reserved, // 6to4 of 127.0.0.1
		"2002:808:808::":         reserved, // 6to4 of 8.8.8.8
		"::127.0.0.1":            reserved, // IPv4-compatible
		"100::1":                 reserved,
	} {
		a := netip.MustParseAddr(addr)
		if err := strict.CheckAddress(a); (err == nil) != (want == public) {
			t.Errorf("strict: %s: %v, want it %s", addr, err, want)
		} else if err != nil && !errors.Is(err, ErrRefusedAddress) {
			t.Errorf("strict: %s: %v, want ErrRefusedAddress", addr, err)
		}
		if err := dev.CheckAddress(a); (err == nil) != (want != reserved) {
			t.Errorf("AllowPrivate: %s: %v, want it %s", addr, err, want)
		}
	}
	if err := dev.CheckAddress(netip.Addr{}); err == nil {
		t.Error("no address passes")
	}
}

func TestAllowNetworks(t *testing.T) {
	t.Parallel()
	c := New(Options{AllowNetworks: prefixes("10.1.0.0/16", "fd00::/8", "169.254.1.1/32")})
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "10.2.2.3": false, "::ffff:10.1.2.3": true, "64:ff9b::10.1.2.3": true,
		"fd12::1": true, "fc12::1": false, "169.254.1.1": true, "169.254.169.254": false,
		"127.0.0.1": false, "1.1.1.1": true,
	} {
		if err := c.CheckAddress(netip.MustParseAddr(addr)); (err == nil) != want {
			t.Errorf("%s: %v, want allowed = %v", addr, err, want)
		}
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	strict, plain := New(Options{}), New(Options{AllowPlainHTTP: true})
	for raw, want := range map[string]error{
		"https://example.com/hook": nil,
		"https://1.1.1.1:8443/":    nil,
		"HTTPS://example.com/":     nil,
		"http://example.com/":      ErrRefusedURL,
		"ftp://example.com/":       ErrRefusedURL,
		"file:///etc/passwd":       ErrRefusedURL,
		"//example.com/":           ErrRefusedURL,
		"https://":                 ErrRefusedURL,
		"https://:443/":            ErrRefusedURL,
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := strict.checkURL(u); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", raw, err, want)
		}
		if err := plain.checkURL(u); u.Scheme == "http" && err != nil {
			t.Errorf("%s is allowed, but: %v", raw, err)
		}
	}
}

// No form of an embedded address avoids the check of the inner address.
func FuzzCheckAddress(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add([]byte{169, 254, 169, 254})
	f.Add(netip.MustParseAddr("2002:7f00:1::").AsSlice())
	c := New(Options{})
	f.Fuzz(func(t *testing.T, b []byte) {
		addr, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		allowed := c.CheckAddress(addr) == nil
		plain := addr.Unmap()
		if allowed && (plain.IsLoopback() || plain.IsPrivate() || plain.IsLinkLocalUnicast() || plain.IsMulticast() ||
			plain.IsUnspecified() || !plain.IsGlobalUnicast()) {
			t.Errorf("%s is allowed", addr)
		}
		if addr.Is4() {
			mapped := netip.AddrFrom16(addr.As16())
			translated := nat64.Addr().As16()
			copy(translated[12:], b)
			if (c.CheckAddress(mapped) == nil) != allowed || (c.CheckAddress(netip.AddrFrom16(translated)) == nil) != allowed {
				t.Errorf("%s is judged otherwise when embedded", addr)
			}
		}
	})
}
