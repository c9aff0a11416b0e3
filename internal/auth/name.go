package auth

// maxName bounds a name, in characters: anything may have written it.
const maxName = 200

// Name returns what the user is called, by full_name or name of the metadata; "" if
// neither says it.
func (u *User) Name() string {
	metadata := DecodeObject(u.UserMetadata)
	for _, member := range []string{"full_name", "name"} {
		if name, ok := metadata[member].(string); ok && name != "" {
			if r := []rune(name); len(r) > maxName {
				return string(r[:maxName])
			}
			return name
		}
	}
	return ""
}
