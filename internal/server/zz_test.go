package server_test

import (
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/server/servertest"
)

func TestZZ(t *testing.T) {
	p := servertest.Start(t).Project(t, "zz", map[string]any{"mailer_autoconfirm": true})
	for _, n := range []int{5000, 9990, 9994, 9995, 9996, 9997, 9998} {
		a := p.Do(t, "POST", "/signup", `{"email":"a`+strings.Repeat("x", n-4990)[:1]+string(rune('a'+n%26))+`@b.co","password":"password123","data":{"a":`+strings.Repeat("[", n)+strings.Repeat("]", n)+`}}`)
		t.Log(n, a.Status, string(a.Body[:min(100, len(a.Body))]))
		if a.Status == 200 {
			var s servertest.Session
			a.Into(t, &s)
			b := p.As(t, s.AccessToken, "GET", "/user", nil)
			t.Log(len(s.AccessToken), b.Status, string(b.Body[:min(100, len(b.Body))]))
			c := p.Admin(t, "GET", "/admin/users", nil)
			t.Log(c.Status)
		}
	}
}
