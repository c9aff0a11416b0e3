package config

import (
	"maps"
	"slices"
	"strings"
)

// suggestion returns the known key or section that an unknown key is probably
// meant to be, "" if none is near. It compares the last part of the key with
// the names of the same section by edit distance, and then looks for the same
// name in another section.
func suggestion(key string, known map[string]leaf) string {
	section, name := splitKey(key)
	best, found := maxDistance(name)+1, ""
	for _, k := range slices.Sorted(maps.Keys(known)) {
		rest, ok := strings.CutPrefix(k, section)
		if !ok {
			continue
		}
		candidate, _, _ := strings.Cut(rest, ".")
		if d := distance(name, candidate, best); d < best {
			best, found = d, section+candidate
		}
	}
	if found != "" {
		return found
	}
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if _, last := splitKey(k); last == name {
			return k
		}
	}
	return ""
}

// splitKey splits a key behind its last dot.
func splitKey(key string) (section, name string) {
	i := strings.LastIndexByte(key, '.') + 1
	return key[:i], key[i:]
}

// maxDistance is how many edits a typing error in a name may have.
func maxDistance(name string) int {
	if len(name) < 5 {
		return 1
	}
	return 2
}

// distance is the number of single-byte insertions, deletions, substitutions
// and transpositions of neighbours that turn a into b (the optimal string
// alignment distance). It returns limit when the lengths alone differ by that
// much, so that a long a costs nothing.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
