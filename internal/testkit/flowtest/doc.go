// Package flowtest runs the flows of the tenant plane in tests: two projects, A
// and B, each with a real database like a provisioned one, real keys and all
// routes, and a shared clock and readable outboxes. The rest of the server is
// replaced by little: no registry, no limits per client address, and a
// dispatcher that delivers nothing.
//
//	f := flowtest.New(t)
//	alice := f.A.SignUp(t, "alice@example.com", "correct horse")
//	f.A.Do(t, "GET", "/user", nil, flowtest.User(alice.Access)).Want(200)
//	f.B.Do(t, "GET", "/user", nil, flowtest.User(alice.Access)).WantError(403, "bad_jwt")
//
// Only tests import it, from packages whose name ends in _test, because it
// imports the flows.
package flowtest
