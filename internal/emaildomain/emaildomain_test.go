package emaildomain

import (
	"slices"
	"strings"
	"testing"
)

func TestRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules Rules
		email string
		want  Reason
	}{
		"no rules":               {Rules{}, "a@mailinator.com", ""},
		"allowed":                {Rules{Allowed: []string{"example.com"}}, "a@example.com", ""},
		"below an allowed one":   {Rules{Allowed: []string{"example.com"}}, "a@mail.example.com", ""},
		"ends like an allowed":   {Rules{Allowed: []string{"example.com"}}, "a@notexample.com", NotAllowed},
		"begins like an allowed": {Rules{Allowed: []string{"example.com"}}, "a@example.com.evil.org", NotAllowed},
		"two at signs":           {Rules{Allowed: []string{"example.com"}}, `"a@example.com"@evil.org`, NotAllowed},
		"final dot":              {Rules{Blocked: []string{"example.com"}}, "a@example.com.", Blocked},
		"capitals":               {Rules{Blocked: []string{"example.com"}}, "a@EXAMPLE.com", Blocked},
		"blocked":                {Rules{Blocked: []string{"example.com"}}, "a@example.com", Blocked},
		"below a blocked one":    {Rules{Blocked: []string{"example.com"}}, "a@x.y.example.com", Blocked},
		"blocked and allowed":    {Rules{Blocked: []string{"b.example.com"}, Allowed: []string{"example.com"}}, "a@b.example.com", Blocked},
		"disposable":             {Rules{Disposable: true}, "a@mailinator.com", Disposable},
		"below a disposable one": {Rules{Disposable: true}, "a@x.mailinator.com", Disposable},
		"excepted":               {Rules{Disposable: true, Except: []string{"mailinator.com"}}, "a@mailinator.com", ""},
		"allowed by name":        {Rules{Disposable: true, Allowed: []string{"mailinator.com"}}, "a@mailinator.com", ""},
		"ordinary":               {Rules{Disposable: true}, "a@gmail.com", ""},
	} {
		if got := c.rules.Refuses(c.email); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// The list is searched by bisection, and has none of the domains that most people
// have their address at.
func TestList(t *testing.T) {
	t.Parallel()
	list := disposable()
	if len(list) < 3000 || !slices.IsSorted(list) {
		t.Errorf("%d domains, sorted: %v", len(list), slices.IsSorted(list))
	}
	for _, d := range list {
		if d != strings.ToLower(d) || !strings.Contains(d, ".") {
			t.Errorf("entry %q", d)
		}
	}
	for _, d := range []string{"gmail.com", "outlook.com", "icloud.com", "yahoo.com", "proton.me", "gmx.de", "qq.com", "privaterelay.appleid.com", "duck.com"} {
		if IsDisposable(d) {
			t.Errorf("%s is on the list", d)
		}
	}
}
