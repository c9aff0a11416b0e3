package tenants_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	a, b := string(refA), string(refB)
	open := &tenants.Router{BaseDomain: "Reeve.Example.com:8000"}
	strict := &tenants.Router{BaseDomain: "reeve.example.com.", MainHosts: []string{"api.reeve.example.com", "127.0.0.1:8000", "[::1]:8000"}}
	local := &tenants.Router{BaseDomain: "localhost:8000"}
	none := &tenants.Router{}

	host := func(ref tenants.Ref, rest string) tenants.Address {
		return tenants.Address{Kind: tenants.AddressHost, Ref: ref, Rest: rest}
	}
	path := func(ref tenants.Ref, rest string) tenants.Address {
		return tenants.Address{Kind: tenants.AddressPath, Ref: ref, Rest: rest}
	}
	key := func(rest string) tenants.Address { return tenants.Address{Rest: rest} }

	for name, c := range map[string]struct {
		router     *tenants.Router
		host, path string
		want       tenants.Address
		err        error
	}{
		"host":                         {open, a + ".reeve.example.com", "/auth/v1/user", host(refA, "/auth/v1/user"), nil},
		"host with port":               {open, a + ".reeve.example.com:8000", "/", host(refA, "/"), nil},
		"host with another port":       {open, a + ".reeve.example.com:443", "/", host(refA, "/"), nil},
		"host with empty port":         {open, a + ".reeve.example.com:", "/", host(refA, "/"), nil},
		"host in capitals":             {open, strings.ToUpper(a) + ".REEVE.example.COM", "/", host(refA, "/"), nil},
		"host with trailing dot":       {open, a + ".reeve.example.com.", "/", host(refA, "/"), nil},
		"trailing dot and port":        {open, a + ".reeve.example.com.:80", "/", host(refA, "/"), nil},
		"localhost":                    {local, a + ".localhost:8000", "/x", host(refA, "/x"), nil},
		"host and path agree":          {open, a + ".reeve.example.com", "/p/" + a + "/x", host(refA, "/x"), nil},
		"host and path disagree":       {open, a + ".reeve.example.com", "/p/" + b + "/x", tenants.Address{}, tenants.ErrDisagree},
		"host and broken path":         {open, a + ".reeve.example.com", "/p/short/x", tenants.Address{}, tenants.ErrUnknownProject},
		"host of no ref":               {open, "www.reeve.example.com", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host one letter short":        {open, a[1:] + ".reeve.example.com", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with digit":              {open, a[1:] + "1.reeve.example.com", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host below a ref":             {open, "x." + a + ".reeve.example.com", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with Kelvin sign":        {open, "\u212a" + a[1:] + ".reeve.example.com", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with dotless i":          {open, "\u0131" + a[1:] + ".reeve.example.com", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with two dots":           {open, a + "..reeve.example.com", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with two trailing dots":  {open, a + ".reeve.example.com..", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with space":              {open, a + ".reeve.example.com ", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with user part":          {open, "x@" + a + ".reeve.example.com", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with NUL":                {open, a + ".reeve.example.com\x00", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with named port":         {open, a + ".reeve.example.com:http", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with long port":          {open, a + ".reeve.example.com:000080", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host with two ports":          {open, a + ".reeve.example.com:80:80", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host too long":                {open, strings.Repeat("a.", 200) + "reeve.example.com", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"host ends like the base":      {open, a + "xreeve.example.com", "/", key("/"), nil},
		"base continues elsewhere":     {open, a + ".reeve.example.com.evil.test", "/", key("/"), nil},
		"dot alone":                    {open, ".", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"dot before the base":          {open, ".reeve.example.com", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"no host":                      {open, "", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"base domain":                  {open, "reeve.example.com", "/auth/v1/user", key("/auth/v1/user"), nil},
		"base domain with path":        {open, "reeve.example.com", "/p/" + a + "/auth/v1/user", path(refA, "/auth/v1/user"), nil},
		"path alone":                   {open, "reeve.example.com", "/p/" + a, path(refA, "/"), nil},
		"path with slash":              {open, "reeve.example.com", "/p/" + a + "/", path(refA, "/"), nil},
		"path in capitals":             {open, "reeve.example.com", "/p/" + strings.ToUpper(a) + "/x", tenants.Address{}, tenants.ErrUnknownProject},
		"path of no ref":               {open, "reeve.example.com", "/p/x/y", tenants.Address{}, tenants.ErrUnknownProject},
		"path of nothing":              {open, "reeve.example.com", "/p/", tenants.Address{}, tenants.ErrUnknownProject},
		"path with empty segment":      {open, "reeve.example.com", "/p//" + a, tenants.Address{}, tenants.ErrUnknownProject},
		"path in path":                 {open, "reeve.example.com", "/p/" + a + "/p/" + b + "/x", tenants.Address{}, tenants.ErrUnknownProject},
		"path that only begins with p": {open, "reeve.example.com", "/projects", key("/projects"), nil},
		"path p itself":                {open, "reeve.example.com", "/p", key("/p"), nil},
		"empty path":                   {open, "reeve.example.com", "", key("/"), nil},
		"any host is main":             {open, "10.0.0.7:8000", "/", key("/"), nil},
		"any IPv6 host is main":        {open, "[fe80::1]:8000", "/", key("/"), nil},
		"IPv6 host unclosed":           {open, "[fe80::1:8000", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"IPv6 host with zone":          {open, "[fe80::1%eth0]", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"IPv6 host without brackets":   {open, "fe80::1", "/", tenants.Address{}, tenants.ErrUnknownProject},
		"named main host":              {strict, "API.reeve.example.com:443", "/x", key("/x"), nil},
		"base among named main hosts":  {strict, "reeve.example.com", "/x", key("/x"), nil},
		"named IPv4 main host":         {strict, "127.0.0.1:9", "/x", key("/x"), nil},
		"named IPv6 main host":         {strict, "[0:0::1]", "/p/" + a + "/x", path(refA, "/x"), nil},
		"host that is not named":       {strict, "10.0.0.7", "/p/" + a + "/x", tenants.Address{}, tenants.ErrUnknownProject},
		"ref under named hosts":        {strict, a + ".reeve.example.com", "/x", host(refA, "/x"), nil},
		"no base domain":               {none, a + ".reeve.example.com", "/x", key("/x"), nil},
		"no base domain, path":         {none, "reeve.example.com", "/p/" + a + "/x", path(refA, "/x"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.router.Address(c.host, c.path)
			wantError(t, err, c.err)
			if got != c.want {
				t.Errorf("Address(%q, %q) = %+v, want %+v", c.host, c.path, got, c.want)
			}
		})
	}
}

func FuzzAddress(f *testing.F) {
	a := string(refA)
	for _, host := range []string{"", a + ".reeve.test", "REEVE.test.:80", "[::1]:80", a + ".reeve.test:", "x." + a + ".reeve.test", "]:[", ":", "a]"} {
		for _, path := range []string{"", "/", "/p/", "/p/" + a, "/p/" + a + "/p/" + a + "/x", "/p/" + a + "//x"} {
			f.Add(host, path)
		}
	}
	router := &tenants.Router{BaseDomain: "reeve.test"}
	f.Fuzz(func(t *testing.T, host, path string) {
		got, err := router.Address(host, path)
		if err != nil {
			if got != (tenants.Address{}) || fault.From(err).Kind == fault.Internal {
				t.Fatalf("Address = %+v, %v", got, err)
			}
			return
		}
		if !strings.HasPrefix(got.Rest, "/") {
			t.Errorf("Rest = %q", got.Rest)
		}
		if got.Kind == tenants.AddressKey {
			if got.Ref != "" {
				t.Errorf("bare host names %q", got.Ref)
			}
			return
		}
		if _, err := tenants.ParseRef(string(got.Ref)); err != nil {
			t.Errorf("Ref = %q", got.Ref)
		}
		// The ref must appear literally in the host or the path.
		ref := string(got.Ref)
		if got.Kind == tenants.AddressPath && !strings.HasPrefix(path, "/p/"+ref) ||
			got.Kind == tenants.AddressHost && !strings.HasPrefix(strings.ToLower(host), ref+".") {
			t.Errorf("Address(%q, %q) = %+v", host, path, got)
		}
	})
}
