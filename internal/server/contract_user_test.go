package server_test

// The members of a user object at each stage of its life. A member that is not
// listed is absent, never null.
const (
	userBase = `id uuid, aud =authenticated, role =authenticated, email text, phone =,
		app_metadata {provider =email, providers [=email]}, created_at time, updated_at time, is_anonymous false`
	confirmed = `email_confirmed_at time, confirmed_at time`
	signedIn  = confirmed + `, last_sign_in_at time`
	// metadata of a user who signed up by e-mail.
	newMeta  = `email text, email_verified false, phone_verified false, sub uuid`
	goodMeta = `email text, email_verified true, phone_verified false, sub uuid`
)

// identities is the only identity of a user with an e-mail address.
func identities(data string) string {
	return `identities [{identity_id uuid, id uuid, user_id uuid, provider =email, email text, identity_data {` + data + `},
		last_sign_in_at time, created_at time, updated_at time}]`
}

// userShape is a user object with metadata, identity data and further members.
func userShape(meta, data, more string) string {
	s := "{" + userBase + ", user_metadata {" + meta + "}, " + identities(data)
	if more != "" {
		s += ", " + more
	}
	return s + "}"
}

// sessionMembers are the members of an answer with a session.
func sessionMembers(user string) string {
	return `access_token jwt, token_type =bearer, expires_in #3600, expires_at number, refresh_token text, user ` + user
}

func sessionShape(user string) string { return "{" + sessionMembers(user) + "}" }
