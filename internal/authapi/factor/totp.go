package factor

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/tenants"
)

const (
	totpPeriod      = 30 // seconds of a step (RFC 6238)
	totpSecretBytes = 20 // RFC 4226, section 4, R6
	totpSkew        = 1  // steps that a clock may differ
	sealedPrefix    = "reeve1:"
)

// TOTP is what an authenticator app is set up with.
type TOTP struct {
	QRCode string `json:"qr_code"` // SVG
	Secret string `json:"secret"`  // base32
	URI    string `json:"uri"`     // otpauth
}

var noPadding = base32.StdEncoding.WithPadding(base32.NoPadding)

// newTOTP makes a secret and shows it for an issuer and an account.
func newTOTP(issuer, account string) (TOTP, error) {
	raw := make([]byte, totpSecretBytes)
	_, _ = rand.Read(raw) // never fails
	t := TOTP{Secret: noPadding.EncodeToString(raw)}
	label := url.PathEscape(issuer) + ":" + url.PathEscape(account)
	t.URI = "otpauth://totp/" + label + "?" + strings.ReplaceAll(url.Values{
		"secret": {t.Secret}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"},
	}.Encode(), "+", "%20")
	code, err := qr.Encode(t.URI, qr.M, qr.Auto)
	if err != nil {
		return t, err
	}
	t.QRCode = svg(code.Bounds().Dx(), func(x, y int) bool { r, _, _, _ := code.At(x, y).RGBA(); return r == 0 })
	return t, nil
}

// svg draws a QR code of a size with the quiet zone that scanners want. Each run of
// dark modules in a row is a part of one path.
func svg(size int, dark func(x, y int) bool) string {
	const quiet = 4
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			if !dark(x, y) {
				continue
			}
			from := x
			for x < size && dark(x, y) {
				x++
			}
			path.WriteString("M" + itoa(from+quiet) + " " + itoa(y+quiet) + "h" + itoa(x-from) + "v1h-" + itoa(x-from) + "z")
		}
	}
	side := itoa(size + 2*quiet)
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + side + ` ` + side + `" shape-rendering="crispEdges">` +
		`<path fill="white" d="M0 0h` + side + `v` + side + `H0z"/><path d="` + path.String() + `"/></svg>`
}

// totpState is the secret of a factor and the step of the last code that was
// accepted. It is sealed, so neither can be read in the database.
type totpState struct {
	Secret string `json:"secret"` // base32
	Step   int64  `json:"step"`
}

func (s totpState) seal(t *tenants.Tenant, factor uuid.UUID) (string, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	sealed, err := secret.SealWith(t.Secrets.OutboxKey, sealPlace(factor), raw)
	return sealedPrefix + base64.RawStdEncoding.EncodeToString(sealed), err
}

var errUnreadable = errors.New("the factor's secret cannot be read")

// openTOTP reads the column of a factor. A secret in clear is one of a hosted project
// that moved here.
func openTOTP(t *tenants.Tenant, factor uuid.UUID, column string) (s totpState, err error) {
	text, sealed := strings.CutPrefix(column, sealedPrefix)
	if !sealed {
		return totpState{Secret: column}, nil
	}
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err == nil {
		raw, err = secret.OpenWith(t.Secrets.OutboxKey, sealPlace(factor), raw)
	}
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err != nil {
		return s, errors.Join(errUnreadable, err)
	}
	return s, nil
}

func sealPlace(factor uuid.UUID) string { return "second factor/" + factor.String() }

// accept reports whether a code is right at a time and was not accepted before, and
// remembers it. Every step that the skew allows is compared.
func (s *totpState) accept(code string, now time.Time) (bool, error) {
	current := now.Unix() / totpPeriod
	matched := int64(-1)
	for step := current - totpSkew; step <= current+totpSkew; step++ {
		want, err := hotp.GenerateCodeCustom(s.Secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return false, errors.Join(errUnreadable, err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && step > s.Step {
			matched = step
		}
	}
	if matched < 0 {
		return false, nil
	}
	s.Step = matched
	return true, nil
}
