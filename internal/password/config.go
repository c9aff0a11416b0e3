package password

import "github.com/reevehq/reeve/tenants"

// PolicyOf returns the rules that a project's configuration sets.
func PolicyOf(c *tenants.Config) Policy {
	// A stored value was checked when it was written. One that no longer parses
	// must not admit weak passwords, so then only the length counts.
	required, err := ParseRequired(c.PasswordRequiredCharacters)
	if err != nil {
		required = nil
	}
	return Policy{MinLength: c.PasswordMinLength, RequiredCharacters: required}
}
