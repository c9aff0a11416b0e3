package oauth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 5849 has no other signature with a shared secret
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credentials sign requests by OAuth 1.0a (RFC 5849) with HMAC-SHA1.
type Credentials struct {
	ConsumerKey, ConsumerSecret string
	Token, TokenSecret          string // "" for none
}

// Authorization returns the header Authorization of a request without body.
// params are further parameters of the protocol, such as oauth_callback.
func (c Credentials) Authorization(method, address string, params map[string]string, now time.Time) string {
	return c.authorization(method, address, params, now, rand.Text())
}

func (c Credentials) authorization(method, address string, params map[string]string, now time.Time, nonce string) string {
	all := map[string]string{
		"oauth_consumer_key": c.ConsumerKey, "oauth_nonce": nonce, "oauth_signature_method": "HMAC-SHA1",
		"oauth_timestamp": strconv.FormatInt(now.Unix(), 10), "oauth_version": "1.0",
	}
	if c.Token != "" {
		all["oauth_token"] = c.Token
	}
	maps.Copy(all, params)
	all["oauth_signature"] = c.sign(method, address, all)
	var header []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		header = append(header, escape(name)+`="`+escape(all[name])+`"`)
	}
	return "OAuth " + strings.Join(header, ", ")
}

// sign is section 3.4.
func (c Credentials) sign(method, address string, params map[string]string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	var pairs []string
	for name, value := range params {
		pairs = append(pairs, escape(name)+"="+escape(value))
	}
	for name, values := range u.Query() {
		for _, value := range values {
			pairs = append(pairs, escape(name)+"="+escape(value))
		}
	}
	slices.Sort(pairs)
	base := method + "&" + escape(u.Scheme+"://"+u.Host+u.Path) + "&" + escape(strings.Join(pairs, "&"))
	mac := hmac.New(sha1.New, []byte(escape(c.ConsumerSecret)+"&"+escape(c.TokenSecret)))
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// escape is the percent encoding of section 3.6.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
