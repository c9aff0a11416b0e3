package keyusage

import (
	"net/netip"
	"strings"
	"unicode"
)

// newClient copies the texts: the request's headers must not stay in memory.
func newClient(ip netip.Addr, agent, info string) *client {
	return &client{ip, strings.Clone(agent), strings.Clone(info)}
}

// clean removes from a client's text what cannot be stored or changes how the rest
// is shown.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// The bounds of an SDK's name and version, in bytes.
const (
	maxSDK     = 64
	maxVersion = 32
)

// sdk reads X-Client-Info, as in "supabase-js-web/2.57.4; runtime=deno". Both are ""
// if it names no SDK.
func sdk(info string) (name, version string) {
	first, _, _ := strings.Cut(info, ";")
	first, _, _ = strings.Cut(strings.TrimSpace(first), " ")
	name, version = first, ""
	if i := strings.LastIndexByte(first, '/'); i > 0 {
		name, version = first[:i], first[i+1:]
	}
	if len(name) > maxSDK || len(version) > maxVersion || !plain(name) || !plain(version) {
		return "", ""
	}
	return name, version
}

// plain reports whether a text has only the characters of names of packages and
// versions.
func plain(s string) bool {
	for i := range len(s) {
		b := s[i]
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if !letter && !strings.ContainsRune("-_.+@/", rune(b)) {
			return false
		}
	}
	return true
}
