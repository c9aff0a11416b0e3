package contact_test

import (
	"errors"
	"testing"

	"github.com/reevehq/reeve/internal/authapi/contact"
	"github.com/reevehq/reeve/tenants"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	all := contact.Faults{
		Both: errors.New("both"), PhoneOff: errors.New("phone off"),
		Neither: errors.New("neither"), EmailOff: errors.New("e-mail off"),
	}
	onlyPhone := contact.Faults{PhoneOff: all.PhoneOff}
	withoutNeither := contact.Faults{Both: all.Both, PhoneOff: all.PhoneOff, EmailOff: all.EmailOff}
	const email, phone = "ann@example.com", "4915112345678"
	for name, c := range map[string]struct {
		email, phone string
		enabled      bool // the e-mail provider; phone is off
		faults       contact.Faults
		want         error
	}{
		"email":                       {email, "", true, all, nil},
		"email, disabled":             {email, "", false, all, all.EmailOff},
		"phone":                       {"", phone, true, all, all.PhoneOff},
		"phone, email disabled":       {"", phone, false, all, all.PhoneOff},
		"both":                        {email, phone, true, all, all.Both},
		"both, email disabled":        {email, phone, false, all, all.Both},
		"neither":                     {"", "", true, all, all.Neither},
		"neither, email disabled":     {"", "", false, all, all.Neither},
		"neither allowed":             {"", "", true, withoutNeither, nil},
		"neither allowed, disabled":   {"", "", false, withoutNeither, all.EmailOff},
		"only phone: email, disabled": {email, "", false, onlyPhone, nil},
		"only phone: phone":           {"", phone, true, onlyPhone, all.PhoneOff},
		"only phone: both":            {email, phone, true, onlyPhone, all.PhoneOff},
		"only phone: neither":         {"", "", false, onlyPhone, nil},
		"no checks":                   {email, phone, false, contact.Faults{}, nil},
	} {
		cfg := &tenants.Config{}
		if c.phone != "" && c.email == "" { // with the provider on, the number is all that is needed
			on := &tenants.Config{}
			on.ExternalPhoneEnabled = true
			if err := (contact.Contact{Phone: c.phone}).Check(on, c.faults); err != nil {
				t.Errorf("%s, phone on: %v", name, err)
			}
		}
		cfg.ExternalEmailEnabled = c.enabled
		got := contact.Contact{Email: c.email, Phone: c.phone}.Check(cfg, c.faults)
		if !errors.Is(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
