// Package contact checks by which contact, an e-mail address or a phone number, a
// request names a user, and whether the project offers that contact. It does not
// own the form of an address or number; those are auth.NormalizeEmail and
// auth.NormalizePhone.
package contact

import "github.com/reevehq/reeve/tenants"

// Contact is the e-mail address and the phone number of a request, as sent. An
// empty string means that the request has none.
type Contact struct{ Email, Phone string }

// Faults are the errors of Check. They differ between the flows, in codes as well
// as in texts. A check whose error is nil is skipped.
type Faults struct {
	Both     error // the request has an e-mail address and a phone number
	PhoneOff error // the request has a phone number, and the project's phone provider is disabled
	Neither  error // the request has no contact
	EmailOff error // the project's e-mail provider is disabled
}

// Check refuses contacts that are ambiguous, missing, or not offered by the
// project. It returns the first error that applies, in the order of the fields of
// Faults.
func (c Contact) Check(cfg *tenants.Config, f Faults) error {
	for _, check := range []struct {
		applies bool
		err     error
	}{
		{c.Email != "" && c.Phone != "", f.Both},
		{c.Phone != "" && !cfg.ExternalPhoneEnabled, f.PhoneOff},
		{c.Email == "" && c.Phone == "", f.Neither},
		{c.Phone == "" && !cfg.ExternalEmailEnabled, f.EmailOff},
	} {
		if check.applies && check.err != nil {
			return check.err
		}
	}
	return nil
}
