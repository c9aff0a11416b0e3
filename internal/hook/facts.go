package hook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// factsOf names an event by what it says about user and session, without the times at
// which it was made: two runs of a transaction that find the same rows have the same
// facts. What users and developers put into metadata counts as it is.
func factsOf(point string, event []byte) (string, error) {
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(event))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return "", fmt.Errorf("read the payload of a hook: %w", err)
	}
	delete(v, "metadata")
	raw, err := json.Marshal(withoutTimes(v))
	if err != nil {
		return "", fmt.Errorf("encode the facts of a hook: %w", err)
	}
	sum := sha256.Sum256(raw)
	return "hook " + point + " " + hex.EncodeToString(sum[:]), nil
}

func withoutTimes(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			switch {
			case name == "iat", name == "exp", name == "timestamp", strings.HasSuffix(name, "_at"):
				delete(v, name)
			case name == "app_metadata", name == "user_metadata":
			default:
				v[name] = withoutTimes(member)
			}
		}
	case []any:
		for i, e := range v {
			v[i] = withoutTimes(e)
		}
	}
	return v
}
