package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// check returns all violations of the rules in the files.
func check(files []file) []string {
	var found []string
	for _, f := range files {
		found = append(found, f.checkName()...)
		found = append(found, f.checkOwners()...)
		if f.test || f.supportsTests() {
			continue // tests may import upwards, and use clients
		}
		found = append(found, f.checkLayers()...)
		found = append(found, f.checkFamilies()...)
		found = append(found, f.checkUses()...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (f file) checkName() (found []string) {
	if slices.Contains(vagueNames, f.name) || slices.Contains(vagueNames, path.Base(f.dir)) {
		found = append(found, fmt.Sprintf("%s: package %s: the name does not say what it owns", f.dir, f.name))
	}
	if layer, _ := place(f.dir); layer < 0 && !f.supportsTests() {
		found = append(found, fmt.Sprintf("%s: has no layer: give it one in internal/arch/rules_test.go", f.dir))
	}
	return found
}

func (f file) checkLayers() (found []string) {
	layer, entry := place(f.dir)
	for _, im := range f.own() {
		if isTestSupport(im.what) {
			if !within(f.dir, mayUseTestSupport...) {
				found = append(found, fmt.Sprintf("%s: imports %s, which is for tests", im.at, im.what))
			}
			continue
		}
		lower, other := place(im.what)
		if layer >= 0 && lower >= 0 && lower <= layer && entry != other {
			found = append(found, fmt.Sprintf("%s: %s imports %s, which is not below it", im.at, f.dir, im.what))
		}
	}
	return found
}

func (f file) checkFamilies() (found []string) {
	for _, fam := range families {
		from, ok := fam.member(f.dir)
		if !ok {
			continue
		}
		for _, im := range f.own() {
			to, ok := fam.member(im.what)
			if !ok || to == from || slices.Contains(fam.shared, to) {
				continue
			}
			if fam.also[from] != to {
				found = append(found, fmt.Sprintf("%s: %s imports its sibling %s", im.at, f.dir, to))
			}
		}
	}
	return found
}

func (f file) checkOwners() (found []string) {
	for _, o := range owners {
		if within(f.dir, o.in...) || f.supportsTests() {
			continue
		}
		for _, im := range f.imports {
			if within(im.what, o.library) {
				found = append(found, fmt.Sprintf("%s: %s imports %s, which belongs to %s", im.at, f.dir, im.what, strings.Join(o.in, ", ")))
			}
		}
	}
	return found
}

// checkUses checks the names used from a library that may be imported.
func (f file) checkUses() (found []string) {
	for _, u := range f.uses {
		dot := strings.LastIndexByte(u.what, '.')
		library, name := u.what[:dot], u.what[dot+1:]
		switch {
		case library == "net/http" && slices.Contains(httpClients, name) && !within(f.dir, mayDial...):
			found = append(found, fmt.Sprintf("%s: http.%s reaches the network past internal/outbound", u.at, name))
		case library == "github.com/gin-gonic/gin" && f.inFamily():
			found = append(found, fmt.Sprintf("%s: gin.%s: gin ends in internal/web", u.at, name))
		}
	}
	return found
}

// own lists the imports of this module, relative to its root.
func (f file) own() (own []use) {
	for _, im := range f.imports {
		if rest, ok := strings.CutPrefix(im.what, module); ok {
			own = append(own, use{what: rest, at: im.at})
		}
	}
	return own
}

func (f file) supportsTests() bool { return isTestSupport(f.dir) }

func (f file) inFamily() bool {
	return slices.ContainsFunc(families, func(fam family) bool { _, ok := fam.member(f.dir); return ok })
}

// member returns the member of the family that the folder belongs to.
func (fam family) member(dir string) (string, bool) {
	rest, ok := strings.CutPrefix(dir, fam.dir+"/")
	first, _, _ := strings.Cut(rest, "/")
	return first, ok
}

// isTestSupport reports whether a package is testkit or named for it, as
// tenantdbtest.
func isTestSupport(dir string) bool {
	if within(dir, "internal/testkit") {
		return true
	}
	base := path.Base(dir)
	return strings.HasSuffix(base, "test") && base != "test"
}

// place returns the layer of a package, 0 for the top, and its entry in the
// table; -1 if it has none.
func place(dir string) (layer int, entry string) {
	layer = -1
	for i, entries := range layers {
		for _, e := range entries {
			if within(dir, e) && len(e) > len(entry) {
				layer, entry = i, e
			}
		}
	}
	return layer, entry
}

// within reports whether the path is one of the roots or lies below one.
func within(p string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return p == r || strings.HasPrefix(p, r+"/") })
}
