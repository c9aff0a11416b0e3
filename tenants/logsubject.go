package tenants

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// subjectLen is the length of a subject, in bytes: enough for the users of a project.
const subjectLen = 12

// LogSubject is how the project's log names an e-mail address or a phone number that a
// request gave, whether or not a user has it: a digest under a key of the project. Who
// knows the address finds its entries; the log does not tell the address.
func (t *Tenant) LogSubject(contact string) string {
	contact = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(contact)), "+")
	if contact == "" {
		return ""
	}
	mac := hmac.New(sha256.New, t.Secrets.OTPKey)
	_, _ = mac.Write([]byte("subject of a log\x00" + contact))
	return hex.EncodeToString(mac.Sum(nil)[:subjectLen])
}
