// Package flowtest runs the flows of the tenant plane in tests: two projects, A
// and B, each with a real database as provisioning makes it, real keys and all
// routes, and between them a clock, and outboxes that can be read. What stands in
// for the rest of the server is small: no registry, no limits per client
// address, and a dispatcher that delivers nothing.
//
//	f := flowtest.New(t)
//	alice := f.A.SignUp(t, "alice@example.com", "correct horse")
//	f.A.Do(t, "GET", "/user", nil, flowtest.User(alice.Access)).Want(200)
//	f.B.Do(t, "GET", "/user", nil, flowtest.User(alice.Access)).WantError(403, "bad_jwt")
//
// It is imported by tests only, from packages whose name ends in _test, as it
// imports the flows itself.
package flowtest
