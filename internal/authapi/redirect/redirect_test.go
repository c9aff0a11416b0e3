package redirect_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/redirect"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

const site = "https://app.example.com/start"

func config(allow ...string) *tenants.Config {
	c := siteConfig(site)
	c.URIAllowList = strings.Join(allow, ",")
	return c
}

func siteConfig(site string) *tenants.Config {
	var c tenants.Config
	c.SiteURL = site
	return &c
}

// The allow list of the tables below.
var (
	nothing = config()
	usual   = config("https://*.example.com/**", "myapp://callback", "http://localhost:3000/**", "**")
)

func TestAllowed(t *testing.T) {
	t.Parallel()
	for raw, cfg := range map[string]*tenants.Config{
		site:                          nothing,
		"https://app.example.com":     nothing,
		"https://app.example.com/":    nothing,
		"https://APP.Example.Com/a":   nothing,
		"HTTPS://app.example.com/a":   nothing,
		"https://app.example.com:443": nothing,
		"https://app.example.com/a?next=https://evil.com/#top": nothing,
		"https://app.example.com//evil.com":                    nothing,
		"https://app.example.com/%2f%2fevil.com":               nothing,

		"https://www.example.com":         usual,
		"https://www.example.com/":        usual,
		"https://WWW.example.com/a/b.c?d": usual,
		"https://www.example.com/#a":      usual,
		"myapp://callback":                usual,
		"myapp://callback#a":              usual,
		"MyApp://callback":                usual,
		"http://localhost:3000":           usual,
		"http://localhost:3000/a/b":       usual,

		"https://x-team.vercel.app/a":      config("https://*-team.vercel.app/**"),
		"https://a.b.example.org/":         config("https://**.example.org/**"),
		"https://example.org":              config("https://example.org**"),
		"https://example.org/a":            config("https://example.org**"),
		"https://example.org/a?b=c":        config("https://example.org/a?b=*"),
		"https://v1.example.org/":          config("https://v[0-9].example.org/"),
		"http://[::1]:3000/a":              config("http://[::1]:3000/**"),
		"exp://127.0.0.1:8081/--/callback": config("exp://127.0.0.1:8081/--/**"),
		"com.example.app:///callback":      config("com.example.app:///*"),
		"https://anything.example.net/a":   config("https://**"),
		"https://example.org/A":            config("https://Example.Org/A"),

		// Schemes of apps, which may be followed by nothing.
		"com.example://":                  config("com.example://"),
		"com.example://#a":                config("com.example://"),
		"com.example://?a=b":              config("com.example://*"),
		"com.example://login":             config("com.example://*"),
		"com.example://login/a.b?c=d":     config("com.example://**"),
		"com.example:///?a=b":             config("com.example:///*"),
		"com.my_app.example://callback":   config("com.my_app.example://callback"),
		"Com.Example-2+x://login":         config("com.example-2+x://login"),
		"exp://192.168.1.7:8081/--/a":     config("exp://192.168.*.*:8081/--/**"),
		"exp://192.168.1.7":               config("exp://192.168.*.*"),
		"myapp://callback?x=1":            config("myapp://callback?x=*"),
		"http://localhost:3007/a":         config("http://localhost:300[0-9]/**"),
		"https://example.org?b=c":         config("https://example.org/?b=*"),
		"https://example.org/%7Ea/%c3%a9": config("https://example.org/%7Ea/%c3%a9"),
		"https://example.org/ü?x=<y>&z=|": config("https://example.org/ü?x=<y>&z=|"),
		"https://pr-7.example.org:8080":   config("https://pr-[0-9].example.org*"),
	} {
		if !redirect.Allowed(cfg, raw) {
			t.Errorf("%q is refused by %q", raw, cfg.URIAllowList)
		}
		if got := redirect.Target(cfg, "", "https:evil.com", raw); got != raw {
			t.Errorf("%q leads to %q", raw, got)
		}
	}
}

// hostile are targets that lead elsewhere, or may be interpreted so.
var hostile = []string{
	"https://evil.com", "https://evil.com/", "http://app.example.com", "ftp://app.example.com", "wss://app.example.com",
	// No scheme, or a scheme without a host.
	"//evil.com", "///evil.com", "/\\evil.com", "\\\\evil.com", "evil.com", "/start", "?a", "#a", "https:evil.com", "https:/evil.com", "https:///evil.com",
	"https:", "https://", "https:app.example.com", "https:/app.example.com", "://app.example.com", "http:///", "https://?a", "https://#a", "https://:443/",
	// User information.
	"https://app.example.com@evil.com", "https://app.example.com:443@evil.com/", "https://evil.com@app.example.com", "https://a:b@app.example.com", "https://@app.example.com",
	"https://app.example.com%40evil.com", "https://evil.com%40app.example.com", "https://app.example.com:@evil.com",
	// Backslashes, which browsers read as slashes.
	"https:\\\\app.example.com", "https://evil.com\\.example.com/", "https://evil.com\\@www.example.com/", "https://app.example.com\\.evil.com", "https://www.example.com/\\evil.com",
	// White space and control characters, which browsers remove.
	" https://app.example.com", "https://app.example.com ", "ht\ttps://app.example.com", "https://app.example.com/\r\nSet-Cookie: a=b", "https://app.example.com/\x00", "\x01https://app.example.com",
	"java\nscript:alert(1)", "https://app.example.com/\x7f", "https://app.exam\tple.com",
	// Code and local schemes.
	"javascript:alert(1)", "JavaScript://app.example.com/%0aalert(1)", "javascript://callback", "data:text/html,x", "data://app.example.com/,x", "vbscript:x", "file:///etc/passwd",
	"about:blank", "blob:https://app.example.com/x", "filesystem:https://app.example.com/x", "view-source:https://app.example.com", "mailto:a@example.com", "tel:1",
	// Other hosts, disguised.
	"https://evil.com/app.example.com", "https://evil.com/x.example.com/y", "https://evil.com?x.example.com/y", "https://evil.com#x.example.com/y", "https://evil?x.example.com/y",
	"https://[2001:db8::1]?x.example.com/y", "https://[2001:db8::1]/x.example.com/y", "https://localhost?.example.com/", "https://evil:443?.example.com/",
	"https://app.example.com.evil.com", "https://appxexample.com", "https://example.com", "https://evilexample.com/", "https://.example.com/", "https://a.b.example.com/",
	"https://app.example.com.", "https://www.example.com./", "https://app.example.com..", "https://app.example.com:8443", "https://app.example.com:0443", "https://app.example.com:80",
	"https://www.example.com:8443/", "https://app.example.com:x", "https://app.example.com:443:443", "https://app.example.com:-1", "https://app.example.com:99999999999999999999",
	// Non-ASCII names, literal or percent-encoded: browsers map ſ to s, 。 to a
	// dot, ／ to a slash.
	"https://www.ехample.com/", "https://www.exampl\u0435.com/", "https://ﬀ.example.com/", "https://app。example。com", "https://evil.com／.example.com/", "https://evil.com％2f.example.com/",
	"https://app.example.com\u200b", "https://ⓔvil.com/", "https://evil%E3%80%82com%EF%BC%8F.example.com/", "https://app%2eexample.com", "https://evil.com%2f.example.com/", "https://evil.com%23.example.com/",
	"https://evil.com%5c.example.com/", "https://evil.com%00.example.com/", "https://evil.com%252f.example.com/", "https://xn--pple-43d.com/", "https://%77ww.example.com/", "https://www.example.com\u212a/",
	// Characters that are not allowed in host names.
	"https://evil.com;.example.com/", "https://evil.com&.example.com/", "https://a'b.example.com/", "https://a*b.example.com/", "https://a,b.example.com/", "https://<a>.example.com/", "https://a|b.example.com/",
	// Addresses in other notations.
	"http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://127.1/", "http://0177.0.0.1/", "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[fe80::1%25eth0]/",
	"http://1.example.com.1/", "https://0x.example.com.0xa/", "https://[::1/", "https://::1/",
	// The right host, but another path than the pattern matched.
	"http://localhost:3000/../x", "https://www.example.com/a/../../b", "https://www.example.com/%2e%2e/b", "https://www.example.com/.%2E/b", "https://www.example.com/a/.", "http://localhost:3000/./x",
	"http://localhost:3001/", "http://localhost/", "http://localhost.evil.com:3000/", "http://localhost:3000.evil.com/", "http://localhost:3000@evil.com/", "http://127.0.0.1:3000/", "https://localhost:3000/",
	// Similar to the app's scheme.
	"myapp://callback.evil.com", "myapp://callback/x", "myapp://x@callback", "myapp:callback", "myapp:/callback", "myapp2://callback", "myapp://callback?x=1", "xmyapp://callback", "myapp://Callback/",
	"", "*", "**", "https://**", "https://*.example.com.evil.com/**", "https://app.example.com/" + strings.Repeat("a", 4096), strings.Repeat("https://", 100), "%", "https://app.example.com/%", "https://%",
}

// near are pairs of a pattern and a target that it must not reach.
var near = map[string][]string{
	// A wildcard at the end of a host matches what follows the host.
	"https://shop.example.com*": {
		"https://shop.example.community", "https://shop.example.com.evil.org", "https://shop.example.comm:8080", "https://shop.example.com-evil", "https://shop.example.com/",
		"https://shop.example.com/a", "https://shop.example.community?x", "https://shop.example.com@evil.org",
	},
	"https://shop.example.com*/**":     {"https://shop.example.community/", "https://shop.example.community/a"},
	"https://shop.example.com*:3000/*": {"https://shop.example.community:3000/", "https://shop.example.com:8080/"},
	"https://shop.example.com?":        {"https://shop.example.comm", "https://shop.example.com1"},
	"https://shop.example.com?/a":      {"https://shop.example.comm/a"},
	"https://shop.example.com**":       {"https://shop.example.community/a", "https://shop.example.com.evil.org", "https://shop.example.com:8080"},
	"https://shop.example.com?*":       {"https://shop.example.community"},
	"https://localhost*":               {"https://localhost.evil.org", "https://localhosts"},
	"com.example://auth*":              {"com.example://authority", "com.example://auth.evil"},
	// The path's part of a pattern does not match in the query.
	"https://a.com/**/done":     {"https://a.com/evil?x=/done", "https://a.com/?/done", "https://a.com?/done"},
	"https://a.com/*/done":      {"https://a.com/evil?/done"},
	"https://a.com/**b":         {"https://a.com/?b", "https://a.com/a?x=b"},
	"https://a.com/b*c":         {"https://a.com/b?c", "https://a.com/b?x=c"},
	"https://a.com/**/b/**":     {"https://a.com/evil?/b/"},
	"com.example://login/**/ok": {"com.example://login/evil?/ok", "com.example://login?/x/ok"},
	// The scheme alone.
	"com.example://":  {"com.example:", "com.example:/", "com.example://login", "com.example://?a=b", "com.examples://", "com.example2://", "https://"},
	"com.example://*": {"com.example://a.b", "com.example://a/b", "com.example://x@y", "com.example:a"},
	"com_a://x":       {"com-a://x", "comxa://x"},
	"com-a://x":       {"com_a://x"},
	"_app://x":        {"_app://x"},
	// Spelled differently from the pattern.
	"https://a.com/é":      {"https://a.com/%C3%A9"},
	"https://a.com/%2F":    {"https://a.com//", "https://a.com/%2f"},
	"https://*.a.com/x":    {"https://b%2ea.com/x", "https://b.a.com:8080/x"},
	"javascript_x://a":     {"javascript://a"},
	"https://a.com/?b=*":   {"https://a.com//b=1", "https://a.com/.b=1"},
	"https://10.0.0.*:80/": {"https://10.0.0.evil.org:80/", "https://10.0.0.1:8080/"},
}

func TestNear(t *testing.T) {
	t.Parallel()
	for pattern, targets := range near {
		for _, raw := range targets {
			if redirect.Allowed(config(pattern), raw) {
				t.Errorf("%q reaches %q", pattern, raw)
			}
		}
	}
	for _, site := range []string{"com-a://x", "com_a://x"} {
		if redirect.Allowed(siteConfig(site), strings.ReplaceAll(site, "-", "_")) {
			t.Errorf("the site %q is another app's", site)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, raw := range hostile {
		if redirect.Allowed(usual, raw) {
			t.Errorf("%.200q is allowed", raw)
		}
		if got := redirect.Target(usual, raw); got != site {
			t.Errorf("%.200q leads to %q", raw, got)
		}
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, raw string
		want         bool
	}{
		{"https://a.com/*", "https://a.com/b", true},
		{"https://a.com/*", "https://a.com/", true},
		{"https://a.com/*", "https://a.com", true},
		{"https://a.com/*", "https://a.com/b/c", false},
		{"https://a.com/*", "https://a.com/b.c", false},
		{"https://a.com/*", "https://a.com/b?c=d", true},
		{"https://a.com/**", "https://a.com/b/c.d", true},
		{"https://a.com/***", "https://a.com/b/c.d", true},
		{"https://a.com/*/c", "https://a.com/b/c", true},
		{"https://a.com/*/c", "https://a.com/b/b/c", false},
		{"https://a.com/**/c", "https://a.com/b/b/c", true},
		{"https://a.com/b?", "https://a.com/bc", true},
		{"https://a.com/b?", "https://a.com/b/", false},
		{"https://a.com/b?", "https://a.com/b", false},
		{"https://a.com/[a-c]", "https://a.com/b", true},
		{"https://a.com/[a-c]", "https://a.com/d", false},
		{"https://a.com/[!a-c]", "https://a.com/d", true},
		{"https://a.com/[!a-c]", "https://a.com/a", false},
		{"https://a.com/[!a-c]x", "https://a.com//x", false},
		{"https://a.com/[xy", "https://a.com/[xy", true},
		{"https://a.com/b", "https://a.com/B", false},
		{"https://a.com", "https://a.com/b", false},
		{"https://a.com**", "https://a.com.evil.org/", false},
		{"https://a.com**", "https://a.community/", false},
		{"https://a.com**", "https://a.com:8080/", false},
		{"https://a.com:*/", "https://a.com:8080/", true},
		{"https://a.com*", "https://a.com", true},
		{"https://a.com*", "https://a.com:8080", true},
		{"https://a.com*", "https://a.com?b=c", true},
		{"https://a.com*/", "https://a.com:8080/", true},
		{"https://a.com**", "https://a.com/b?c=d.e", true},
		{"https://a.com/b*", "https://a.com/bc", true},
		{"https://a.com/b*", "https://a.com/b?c", true},
		{"https://a.com/b*", "https://a.com/b?c/d", false},
		{"https://a.com/**/c", "https://a.com/b/c?d", false},
		{"https://a.com/**/c**", "https://a.com/b/c?d", true},
		{"https://a.com/b?c=**", "https://a.com/b?c=/d.e", true},
		{"https://a.com/*?c=*", "https://a.com/b?c=d", true},
		{"https://*a.com/", "https://evila.com/", true},
		{"https://*.com/", "https://evil?.com/", false},
		{"https://*/**", "https://localhost/", true},
		{"https://*/**", "https://evil.com/", false},
		{"https://[!x].com/", "https://a.com/", true},
		{"https://a[!x]b.com/", "https://a/b.com/", false},
		{"https://a[?/]b.com/", "https://a?b.com/", false},
		{"https:**", "https://evil.com/", false},
		{"**://a.com", "https://a.com", false},
		{"h*s://a.com", "https://a.com", false},
		{"*", "https://a.com", false},
		{"javascript://**", "javascript://a/%0aalert(1)", false},
		{"https://a.com/" + strings.Repeat("*", 600), "https://a.com/b", false}, // too long
	} {
		if got := redirect.Allowed(config(c.pattern), c.raw); got != c.want {
			t.Errorf("%.100q on %q: %v", c.pattern, c.raw, got)
		}
	}
}

// No pattern of a project keeps a processor busy: if matching were not linear,
// this test would not end.
func TestGlobCost(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"**[ab]?", "*a", "**a", "**[a-z]", "**?", "*b**a"} {
		pattern := "https://a.com/" + strings.Repeat(part, 480/len(part)) + "x**y"
		raw := "https://a.com/" + strings.Repeat("ab", 1900) + "x"
		if redirect.Allowed(config(pattern), raw) {
			t.Errorf("%.40q is allowed", pattern)
		}
	}
}

func TestSite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		site, raw string
		want      bool
	}{
		{"http://localhost:3000", "http://localhost:5173/a", true},
		{"http://localhost:3000", "https://localhost:3000/a", false},
		{"http://localhost:3000", "http://127.0.0.1:3000/a", false},
		{"http://127.0.0.1:3000", "http://127.0.0.1:4000/a", true},
		{"http://[::1]:3000", "http://[::1]:4000/a", true},
		{"http://10.0.0.1:3000", "http://10.0.0.1:4000/a", false},
		{"https://a.com:8443", "https://a.com:8443/a", true},
		{"https://a.com:8443", "https://a.com/a", false},
		{"http://a.com", "http://a.com:80/a", true},
		{"https://acmes.com", "https://acme\u017f.com/", false},
		{"", "https://a.com", false},
		{"", "", false},
		{"/relative", "/relative", false},
		{"myapp://home", "myapp://home/a", true},
	} {
		if got := redirect.Allowed(siteConfig(c.site), c.raw); got != c.want {
			t.Errorf("%q from the site %q: %v", c.raw, c.site, got)
		}
	}
}

// FuzzAllowed checks allowed targets as a browser would interpret them.
func FuzzAllowed(f *testing.F) {
	for _, raw := range hostile {
		f.Add(raw)
	}
	f.Add("https://www.example.com/a")
	f.Fuzz(func(t *testing.T, raw string) {
		if !redirect.Allowed(usual, raw) {
			return
		}
		scheme, host := browserReads(raw)
		label, under := strings.CutSuffix(host, ".example.com")
		ok := scheme == "https" && (host == "app.example.com" || host == "app.example.com:443" || host == "app.example.com:" ||
			under && label != "" && !strings.ContainsAny(label, "./:@?#[]")) ||
			scheme == "http" && host == "localhost:3000" || scheme == "myapp" && host == "callback"
		if !ok {
			t.Errorf("%q leads to %s on %q", raw, scheme, host)
		}
	})
}

// FuzzPattern: every target that a pattern with a literal host allows is on
// that host, and stays there with a code or an error.
func FuzzPattern(f *testing.F) {
	for pattern, targets := range near {
		for _, raw := range targets {
			f.Add(strings.TrimLeft(pattern, "abcdefghijklmnopqrstuvwxyz:/."), raw)
		}
	}
	for _, raw := range []string{"https://shop.example.com/a?b", "https://shop.example.com:80", "com.example://login?a", "https://app.example.com/"} {
		f.Add("*", raw)
		f.Add("/**", raw)
	}
	f.Fuzz(func(t *testing.T, tail, raw string) {
		if strings.Trim(tail, "*?/=&") != "" {
			return // it may match another host
		}
		for _, start := range []string{"https://shop.example.com", "https://shop.example.com/", "com.example://login"} {
			if !redirect.Allowed(config(start+tail), raw) {
				continue
			}
			for _, sent := range []string{raw, redirect.WithCode(raw, "c"), redirect.WithError(raw, auth.ErrOTPExpired, true)} {
				scheme, host := browserReads(sent)
				name, _, _ := strings.Cut(host, ":")
				switch scheme + "://" + name {
				case "https://shop.example.com", "https://app.example.com", "com.example://login":
				default:
					t.Errorf("%q: %q leads to %s on %q", start+tail, sent, scheme, host)
				}
			}
		}
	})
}

// browserReads extracts scheme and host like the WHATWG URL standard, loosely:
// any character that could end a host ends it.
func browserReads(raw string) (scheme, host string) {
	raw = strings.TrimFunc(raw, func(r rune) bool { return r <= ' ' })
	raw = strings.NewReplacer("\t", "", "\r", "", "\n", "", "\\", "/").Replace(raw)
	scheme, rest, _ := strings.Cut(raw, ":")
	rest = strings.TrimLeft(rest, "/")
	if i := strings.IndexAny(rest, "/?#／？＃。"); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	return strings.ToLower(scheme), strings.ToLower(rest)
}

func TestUsable(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]bool{
		"https://a.com": true, "myapp://cb": true, "com.example://": true, "com.my_app://cb?a=b#c": true, "https://a.com/%7E": true,
		"": false, "a.com": false, "/a": false, "//a.com": false, "://a": false, "_app://a": false, "https://a.com/%zz": false,
	} {
		if got := redirect.Usable(target); got != want {
			t.Errorf("%q: usable %t", target, got)
		}
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ got, want string }{
		"fragment":               {redirect.WithFragment("https://a.com/b?c=d", url.Values{"x": {"a b&c"}}), "https://a.com/b?c=d#x=a+b%26c"},
		"fragment replaced":      {redirect.WithFragment("https://a.com/#old", url.Values{"x": {"1"}}), "https://a.com/#x=1"},
		"code":                   {redirect.WithCode("https://a.com/b?c=d#e", "c0de"), "https://a.com/b?c=d&code=c0de#e"},
		"code replaced":          {redirect.WithCode("https://a.com/?code=forged&code=again", "c0de"), "https://a.com/?code=c0de"},
		"code to an app":         {redirect.WithCode("myapp://callback", "c0de"), "myapp://callback?code=c0de"},
		"error":                  {redirect.WithError("https://a.com/", auth.ErrOTPExpired, false), "https://a.com/#error=access_denied&error_code=otp_expired&error_description=Token+has+expired+or+is+invalid&sb="},
		"error with PKCE":        {redirect.WithError("https://a.com/?x=1", fault.New(fault.Invalid, "c", "m"), true), "https://a.com/?error=invalid_request&error_code=c&error_description=m&x=1#error=invalid_request&error_code=c&error_description=m&sb="},
		"error of ours":          {redirect.WithError("https://a.com/", fault.New(fault.Internal, "c", "m"), false), "https://a.com/#error=server_error&error_code=c&error_description=m&sb="},
		"error that will pass":   {redirect.WithError("https://a.com/", fault.New(fault.TooMany, "c", "m"), false), "https://a.com/#error=temporarily_unavailable&error_code=c&error_description=m&sb="},
		"code to a bare scheme":  {redirect.WithCode("com.example://", "c0de"), "com.example://?code=c0de"},
		"code to an empty host":  {redirect.WithCode("com.example:///?a=b", "c0de"), "com.example:///?a=b&code=c0de"},
		"code to an odd scheme":  {redirect.WithCode("com.my_app://login#x", "c0de"), "com.my_app://login?code=c0de#x"},
		"code, path kept":        {redirect.WithCode("https://a.com/%7Eb/<é>", "c0de"), "https://a.com/%7Eb/<é>?code=c0de"},
		"error to a bare scheme": {redirect.WithError("com.example://", fault.New(fault.Invalid, "c", "m"), false), "com.example://#error=invalid_request&error_code=c&error_description=m&sb="},
		"PKCE error to an app":   {redirect.WithError("com.example://", fault.New(fault.Invalid, "c", "m"), true), "com.example://?error=invalid_request&error_code=c&error_description=m#error=invalid_request&error_code=c&error_description=m&sb="},
		"fragment to an app":     {redirect.WithFragment("com.example://", url.Values{"x": {"1"}}), "com.example://#x=1"},
		"message":                {redirect.WithMessage("https://a.com/", "Well done", false), "https://a.com/#message=Well+done&sb="},
		"message with PKCE":      {redirect.WithMessage("https://a.com/", "m", true), "https://a.com/?message=m#message=m&sb="},
		"first allowed":          {redirect.Target(usual, "", "https://evil.com", "myapp://callback", site+"/2"), "myapp://callback"},
		"none":                   {redirect.Target(usual), site},
		"a bare host keeps form": {redirect.Target(usual, "https://www.example.com"), "https://www.example.com"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", name, c.got, c.want)
		}
	}
}
