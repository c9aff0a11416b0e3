package scim

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const ann = `{"userName": "Ann@Acme.example", "externalId": "A-1", "active": true, "title": "Chief \"of\" staff",
	"name": {"givenName": "Ann", "familyName": "O'Hara"},
	"emails": [{"value": "ann@acme.example", "type": "work", "primary": true}, {"value": "ann@home.example", "type": "home"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R&D", "manager": {"value": "26", "displayName": "Bob"}}}`

func read(t testing.TB, rt *ResourceType, text string) Resource {
	t.Helper()
	m, err := Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(rt, m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFilter: which filters the user above passes.
func TestFilter(t *testing.T) {
	t.Parallel()
	r := read(t, User, ann)
	r["meta"] = map[string]any{"created": "2026-01-31T12:00:00.5Z"}
	for text, want := range map[string]bool{
		`userName eq "ann@acme.example"`:                     true,
		`USERNAME EQ "ANN@ACME.EXAMPLE"`:                     true,
		`externalId eq "A-1"`:                                true,
		`externalId eq "a-1"`:                                false, // its case matters
		`userName ne "bob"`:                                  true,
		`userName ne "ann@acme.example"`:                     false,
		`userName co "ACME"`:                                 true,
		`userName sw "ann"`:                                  true,
		`userName ew ".example"`:                             true,
		`userName gt "a"`:                                    true,
		`userName ge "ann@acme.example"`:                     true,
		`userName lt "b"`:                                    true,
		`userName le "a"`:                                    false,
		`title pr`:                                           true,
		`nickName pr`:                                        false,
		`not (nickName pr)`:                                  true,
		`not(nickName pr)`:                                   true,
		`nickName eq null`:                                   true,
		`nickName ne null`:                                   false,
		`title ne null`:                                      true,
		`nickName ne "x"`:                                    true,
		`title eq "Chief \"of\" staff"`:                      true,
		`title eq "\u0043hief \"of\" staff"`:                 true,
		`active eq true`:                                     true,
		`active eq "True"`:                                   true,
		`active ne false`:                                    true,
		`name.familyName sw "o'"`:                            true,
		`name pr`:                                            true,
		`emails pr`:                                          true,
		`emails co "home.example"`:                           true,
		`emails.value eq "ann@home.example"`:                 true,
		`emails.type eq "other"`:                             false,
		`emails.type ne "work"`:                              false,
		`emails[type eq "work" and value co "home"]`:         false,
		`emails.type eq "work" and emails.value co "home"`:   true,
		`emails[type eq "work"].value eq "ann@acme.example"`: true,
		`emails[type eq "home"].value sw "bob"`:              false,
		`emails[not (type eq "work")]`:                       true,
		`emails[primary eq true and (type eq "home" or type eq "work")]`: true,
		`title pr and nickName pr or active eq true`:                     true,
		`title pr or nickName pr and active eq false`:                    true,
		`(title pr or nickName pr) and active eq false`:                  false,
		`  title   pr  `: true,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "a"`:                              true,
		`urn:ietf:params:scim:schemas:core:2.0:user:name.givenName eq "ann"`:                      true,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr`:                true,
		`URN:IETF:params:scim:schemas:extension:enterprise:2.0:user:manager.displayName eq "bob"`: true,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager[value eq "26"]`:       true,
		`meta.created gt "2026-01-31T12:00:00Z"`:                                                  true,
		`meta.created lt "2026-01-31T13:00:00+01:00"`:                                             false,
		`id pr`: false,
	} {
		e, err := ParseFilter(User, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := Match(e, r); got != want {
			t.Errorf("%s: %v, read as %s", text, got, e)
		}
		again, err := ParseFilter(User, e.String())
		if err != nil || again.String() != e.String() {
			t.Errorf("%s: written as %s, read again as %v, %v", text, e, again, err)
		}
	}
}

func TestFilterPrecedence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`title pr or nickName pr and active eq true`: `(title pr or (nickName pr and active eq true))`,
		`title pr and nickName pr or active eq true`: `((title pr and nickName pr) or active eq true)`,
		`not (title pr) and nickName pr`:             `(not (title pr) and nickName pr)`,
		`title pr or nickName pr or locale pr`:       `((title pr or nickName pr) or locale pr)`,
		`emails[type eq "work" or primary eq true]`:  `emails[(type eq "work" or primary eq true)]`,
		`emails eq "a"`: `emails.value eq "a"`,
	} {
		if e, err := ParseFilter(User, text); err != nil || e.String() != want {
			t.Errorf("%s is read as %v, %v", text, e, err)
		}
	}
}

// TestFilterRefused: each is refused as invalidFilter.
func TestFilterRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, `userName`, `userName eq`, `userName eq `, `eq "a"`, `userName eq 'a'`, `userName eq a`, `userName eq "a`, `userName eq "a\"`, `userName eq "\x"`,
		`userName eq "a" and`, `and userName eq "a"`, `userName eq "a" userName eq "b"`, `userName eq "a"and title pr`, `userName like "a"`, `userName pr "a"`,
		`(userName eq "a"`, `userName eq "a")`, `()`, `not userName pr`, `not (`, `emails[`, `emails[]`, `emails[type eq "work"`, `emails[type eq "work")`,
		`emails[userName eq "a"]`, `emails[emails[type pr]]`, `emails.value[type pr]`, `userName[value eq "a"]`, `emails[type eq "work"]value pr`,
		`emails[type eq "work"].`, `emails[type eq "work"].nothing pr`, `nothing eq "a"`, `userName.value eq "a"`, `name eq "a"`, `name.nothing eq "a"`,
		`userName eq 5`, `userName eq true`, `userName gt null`, `active gt true`, `active eq "yes"`, `active co "t"`, `active eq 1`, `meta.created eq "today"`,
		`meta.created co "2026-01-01T00:00:00Z"`, `schemas eq "a"`, `password eq "a"`, `urn:unknown:userName eq "a"`, `urn:ietf:params:scim:schemas:core:2.0:User eq "a"`,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr`, `userName eq "a"; DROP TABLE`, "userName\teq \"a\"", "userName eq \"\x00\"", `userName eq "\u0000"`,
		"userName eq \"\xff\"", `userName eq {"a":1}`, `userName eq ["a"]`, `userName eq 01`, `1userName pr`, `user Name pr`, `user:Name pr`, `.userName pr`, `userName. pr`,
		`title pr and not`, `x509Certificates.value co "a"`, strings.Repeat("(", maxDepth+1) + "title pr" + strings.Repeat(")", maxDepth+1),
		strings.Repeat("title pr or ", maxTerms) + "title pr", `title eq "` + strings.Repeat("a", MaxFilter) + `"`,
	} {
		if e, err := ParseFilter(User, text); !errors.Is(err, ErrFilter) {
			t.Errorf("%.80q is read as %v, %v", text, e, err)
		}
	}
	most := strings.Repeat("(", maxDepth) + "title pr" + strings.Repeat(")", maxDepth) + strings.Repeat(" or title pr", maxTerms-1)
	if _, err := ParseFilter(User, most); err != nil {
		t.Errorf("at the bounds: %v", err)
	}
	if _, err := ParseFilter(Group, `members[value eq "1"] and displayName sw "a"`); err != nil {
		t.Error(err)
	}
}

// FuzzFilter: whatever is read can be evaluated, and is read alike from what it is
// written as.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`userName eq "a"`, `not (emails[type eq "work" and value co "x"]) or active ne true`, `emails[type eq "w"].value pr`,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value ge "1"`, `meta.lastModified le "2026-01-01T00:00:00.1+02:00"`,
		`title eq "\ud83d\ude00\"" and nickName eq null`,
	} {
		f.Add(seed)
	}
	r := read(f, User, ann)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseFilter(User, text)
		if err != nil {
			if !errors.Is(err, ErrFilter) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		written := e.String()
		if len(written) > MaxFilter {
			return // written with more parentheses
		}
		again, err := ParseFilter(User, written)
		if err != nil {
			if strings.Contains(fmt.Sprint(err), "nested") {
				return
			}
			t.Fatalf("%q is written as %q: %v", text, written, err)
		}
		if again.String() != written || Match(e, r) != Match(again, r) {
			t.Fatalf("%q is written as %q and read as %q", text, written, again)
		}
	})
}
