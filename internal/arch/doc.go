// Package arch holds only tests: they read every Go file of the module and fail
// when an import points against the layers of the architecture, when a library
// is used outside the package that owns it, or when code reaches the network
// without internal/outbound. The rules are in rules_test.go. They do not
// concern the inside of packages.
package arch
