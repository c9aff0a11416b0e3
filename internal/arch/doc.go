// Package arch holds only tests: they read every Go file of the module and
// fail when an import points against the layers of the architecture, when a
// library is used outside the package that owns it, or when code reaches the
// network past internal/outbound. The rules stand in rules_test.go; what
// packages do inside is none of its business.
package arch
