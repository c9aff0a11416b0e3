package setting

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// The points of a flow at which a project's hook is called.
const (
	HookBeforeUserCreated    = "before_user_created"
	HookAfterUserCreated     = "after_user_created"
	HookCustomAccessToken    = "custom_access_token"
	HookMFAVerification      = "mfa_verification_attempt"
	HookPasswordVerification = "password_verification_attempt"
)

// HookPoints returns the points that flows call, in the order of the settings.
func HookPoints() []string {
	return []string{HookBeforeUserCreated, HookAfterUserCreated, HookCustomAccessToken, HookMFAVerification, HookPasswordVerification}
}

// The modes of a hook: what its failure, not its refusal, leads to.
const (
	HookFailClosed = "fail_closed" // the request fails
	HookFailOpen   = "fail_open"   // the request goes on as without the hook
	HookShadow     = "shadow"      // called and recorded, never obeyed
)

// Hook is a project's own code that flows call at a point.
type Hook struct {
	Enabled bool
	URI     string // pg-functions://postgres/<schema>/<function>, https://... or http://localhost...
	Mode    string
}

// Hooks are the project's own code that flows call.
type Hooks struct {
	BeforeUserCreated    Hook
	AfterUserCreated     Hook
	CustomAccessToken    Hook
	MFAVerification      Hook
	PasswordVerification Hook
}

// Hook returns the hook of a point; the zero Hook for an unknown point.
func (c *Config) Hook(point string) Hook {
	if h := c.Hooks.at(point); h != nil {
		return *h
	}
	return Hook{}
}

func (h *Hooks) at(point string) *Hook {
	switch point {
	case HookBeforeUserCreated:
		return &h.BeforeUserCreated
	case HookAfterUserCreated:
		return &h.AfterUserCreated
	case HookCustomAccessToken:
		return &h.CustomAccessToken
	case HookMFAVerification:
		return &h.MFAVerification
	case HookPasswordVerification:
		return &h.PasswordVerification
	}
	return nil
}

// HookSecrets names the signing secrets of the hook of a point.
func HookSecrets(point string) string { return "hook_" + point + "_secrets" }

var hookEffects = map[string]string{
	HookBeforeUserCreated:    "before a user is created, which it may refuse",
	HookAfterUserCreated:     "with each user that is created, in the same transaction",
	HookMFAVerification:      "after each try of a second factor, which it may refuse",
	HookPasswordVerification: "after each try of a user's password, which it may refuse",
	HookCustomAccessToken:    "before an access token is signed: it may change the claims",
}

func hooks() Group {
	g := Group{Title: "Hooks"}
	for _, point := range []string{
		HookBeforeUserCreated, HookAfterUserCreated, HookCustomAccessToken, HookMFAVerification, HookPasswordVerification,
		"send_email", "send_sms",
	} {
		effect, built := hookEffects[point]
		if !built {
			g.Settings = append(g.Settings,
				Setting{Name: "hook_" + point + "_enabled", Kind: Bool},
				Setting{Name: "hook_" + point + "_uri", Kind: Text},
				Setting{Name: HookSecrets(point), Kind: Text, Secret: true, MaxLength: maxSecret},
			)
			continue
		}
		of := func(c *Config) *Hook { return c.Hooks.at(point) }
		g.Settings = append(g.Settings,
			Setting{
				Name: "hook_" + point + "_enabled", Kind: Bool, Field: func(c *Config) any { return &of(c).Enabled },
				Effect: "Calls the project's own code " + effect + ". See [hooks](hooks.md).",
			},
			Setting{
				Name: "hook_" + point + "_uri", Kind: Text, MaxLength: maxURL, Format: optional(hookURI), Null: true,
				Field:  func(c *Config) any { return &of(c).URI },
				Effect: "What is called: `pg-functions://postgres/<schema>/<function>`, or an https URL.",
			},
			Setting{
				Name: HookSecrets(point), Kind: Text, Secret: true, MaxLength: maxSecret,
				Effect: "`v1,whsec_<base64>`, with which requests to the URL are signed. Several are separated by a vertical bar.",
			},
			Setting{
				Name: "hook_" + point + "_mode", Kind: Text, OneOf: []string{HookFailClosed, HookFailOpen, HookShadow}, Default: HookFailClosed,
				Field: func(c *Config) any { return &of(c).Mode },
				Effect: "What follows when the hook fails: the request fails too (`fail_closed`), or goes on as without the hook (`fail_open`). " +
					"`shadow` calls and records, and never obeys.",
			},
		)
		g.Rules = append(g.Rules, Rule{
			Text: fmt.Sprintf("`hook_%s_uri` is required with `hook_%s_enabled`, and `%s` with an https or http URL.", point, point, HookSecrets(point)),
			Check: func(c *Config, secrets Secrets) error {
				return hookComplete(point, *of(c), secrets[HookSecrets(point)])
			},
		})
	}
	return g
}

func hookComplete(point string, h Hook, secrets string) error {
	if h.Enabled && h.URI == "" {
		return fmt.Errorf("hook_%s_uri: is required with hook_%s_enabled", point, point)
	}
	if secrets != "" && h.URI != "" {
		if _, err := ParseHookSecrets(secrets); err != nil {
			return fmt.Errorf("%s: %w", HookSecrets(point), err)
		}
	}
	if h.Enabled && !strings.HasPrefix(h.URI, pgFunctions) && secrets == "" {
		return fmt.Errorf("%s: is required with a URL", HookSecrets(point))
	}
	return nil
}

const pgFunctions = "pg-functions://"

// hookName is the form of a schema's or function's name, as in the reference.
var hookName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]{0,62}$`)

// hookURI accepts what a hook may call.
func hookURI(s string) error {
	if strings.HasPrefix(s, pgFunctions) {
		_, _, err := hookFunction(s)
		return err
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("must be pg-functions://postgres/<schema>/<function>, or an https URL")
	case u.User != nil:
		return errors.New("must not hold a user name")
	case strings.ContainsAny(s, "# \\\t\r\n"):
		return errors.New("must not hold spaces, backslashes or a fragment")
	case u.Scheme == "http" && !localHost(u.Hostname()):
		return errors.New("must be an https URL: http is for localhost and private addresses")
	}
	return nil
}

func localHost(host string) bool {
	if host == "localhost" || host == "host.docker.internal" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.IsLoopback() || addr.IsPrivate())
}

// Function returns the schema and the name of the database function that the hook
// calls; ok is false for a hook with a URL.
func (h Hook) Function() (schema, name string, ok bool) {
	schema, name, err := hookFunction(h.URI)
	return schema, name, err == nil
}

func hookFunction(uri string) (schema, name string, err error) {
	path, ok := strings.CutPrefix(uri, pgFunctions+"postgres/")
	if !ok {
		return "", "", errors.New("must be pg-functions://postgres/<schema>/<function>")
	}
	schema, name, ok = strings.Cut(path, "/")
	switch {
	case !ok || !hookName.MatchString(schema) || !hookName.MatchString(name):
		return "", "", errors.New("must be pg-functions://postgres/<schema>/<function>, with names of letters, digits and underscores")
	case schema == "reeve" || strings.HasPrefix(schema, "pg_"):
		return "", "", errors.New("must name a function of your own")
	}
	return schema, name, nil
}

// The bounds of a signing secret, in bytes, as Standard Webhooks has them.
const (
	minHookSecret  = 24
	maxHookSecret  = 64
	maxHookSecrets = 5
)

// ParseHookSecrets returns the keys of a setting hook_..._secrets, the current one
// first.
func ParseHookSecrets(s string) ([][]byte, error) {
	var keys [][]byte
	for part := range strings.SplitSeq(s, "|") {
		if part == "" {
			continue
		}
		encoded, ok := strings.CutPrefix(part, "v1,whsec_")
		if !ok {
			return nil, errors.New("must be v1,whsec_<base64>; several are separated by |")
		}
		key, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || strings.ContainsAny(encoded, "\r\n") || len(key) < minHookSecret || len(key) > maxHookSecret {
			return nil, fmt.Errorf("each must have %d to %d bytes, in base64", minHookSecret, maxHookSecret)
		}
		if keys = append(keys, key); len(keys) > maxHookSecrets {
			return nil, fmt.Errorf("must be at most %d", maxHookSecrets)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("must be v1,whsec_<base64>; several are separated by |")
	}
	return keys, nil
}
