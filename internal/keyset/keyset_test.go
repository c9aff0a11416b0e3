package keyset_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/keyset"
)

func set(kids ...string) (keys []json.RawMessage) {
	for _, kid := range kids {
		keys = append(keys, json.RawMessage(`{"kid":"`+kid+`"}`))
	}
	return keys
}

func TestTags(t *testing.T) {
	t.Parallel()
	secret := []byte("secret of the project")
	before, after := set("a"), set("a", "b")
	tag := keyset.Tag(secret, before)
	if tag == keyset.Tag(secret, before) {
		t.Error("two answers have one tag")
	}
	if current, old := keyset.Current(secret, []string{tag}, before); current != tag || old != "" {
		t.Errorf("the same set: %q, %q", current, old)
	}
	if current, old := keyset.Current(secret, []string{tag}, after); current != "" || old != tag {
		t.Errorf("an older set: %q, %q", current, old)
	}
	fresh := keyset.Tag(secret, after)
	if current, old := keyset.Current(secret, []string{tag, fresh}, after); current != fresh || old != "" {
		t.Errorf("both: %q, %q", current, old)
	}
	for _, foreign := range []string{"", "x", "*", "a.b", tag + "x", "." + tag, tag + "." + tag, keyset.Tag([]byte("another project's"), before), strings.Replace(tag, tag[:3], "---", 1), "33a64df551425fcc55e4d42a148795d9f25f89d4"} {
		if current, old := keyset.Current(secret, []string{foreign}, after); current != "" || old != "" {
			t.Errorf("%q is taken for a tag of ours: %q, %q", foreign, current, old)
		}
	}
}

type store struct{ got []keyset.Request }

func (s *store) AddOldSetRequests(_ context.Context, requests []keyset.Request) error {
	s.got = append(s.got, requests...)
	return nil
}

// A project has its share of what is remembered, and takes none of another's.
func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	s, at := &store{}, time.Now()
	r := keyset.NewRequests(s, nil)
	for i := range 1000 {
		r.Old("flood", strconv.Itoa(i), at, netip.Addr{}, "a\x00\xffb\n")
	}
	for range 3 {
		r.Old("quiet", "tag", at, netip.MustParseAddr("::ffff:203.0.113.9"), "agent")
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, q := range s.got {
		count[q.Project]++
		switch {
		case q.Project == "flood" && q.Agent != "ab":
			t.Fatalf("agent %q", q.Agent)
		case q.Project == "quiet" && (q.Count != 3 || q.IP != "203.0.113.9"):
			t.Fatalf("%+v", q)
		}
	}
	if count["flood"] != 50 || count["quiet"] != 1 {
		t.Errorf("%v", count)
	}
	s.got = nil
	if err := r.Flush(t.Context()); err != nil || len(s.got) != 0 {
		t.Errorf("again: %v, %v", s.got, err)
	}
}
