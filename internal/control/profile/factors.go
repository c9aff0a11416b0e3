package profile

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/web/control"
)

// Factors are the second factors and passkeys of a person who is signed in. Each
// method is for a session of theirs, and follows the rules and settings of the
// platform project, as its own auth endpoint does.
type Factors interface {
	// Factors returns what the person has, and what they can add.
	Factors(ctx context.Context, who Person) (*Held, error)
	// EnrollApp adds an authenticator app, which counts once the browser's session proved
	// a code of it.
	EnrollApp(ctx context.Context, who Person, name string) (*App, error)
	// Unenroll removes a factor; sessions that it raised go back to aal1.
	Unenroll(ctx context.Context, who Person, id uuid.UUID) error
	// MakeCodes makes recovery codes, in place of those that there are.
	MakeCodes(ctx context.Context, who Person) ([]string, error)
	// RemoveCodes removes the recovery codes.
	RemoveCodes(ctx context.Context, who Person) error
	// BeginPasskey begins the registration of a passkey in the browser.
	BeginPasskey(ctx context.Context, who Person) (*Ceremony, error)
	// AddPasskey ends it, and names the passkey unless name is "".
	AddPasskey(ctx context.Context, who Person, challenge uuid.UUID, credential json.RawMessage, name string) (auth.Passkey, error)
	// RemovePasskey removes one; auth.ErrPasskeyNotFound.
	RemovePasskey(ctx context.Context, who Person, id uuid.UUID) error
}

// Held is what a person proves who they are with, besides their password.
type Held struct {
	AAL           string    `json:"aal" enum:"aal1,aal2,aal3" doc:"Of this session."`
	Factors       []Factor  `json:"factors"`
	Passkeys      []Passkey `json:"passkeys"`
	RecoveryCodes Codes     `json:"recovery_codes"`
	Offers        Offers    `json:"offers"`
}

// Factor is a second factor on the wire.
type Factor struct {
	ID           string     `json:"id"`
	Type         string     `json:"type" enum:"totp,phone,webauthn"`
	FriendlyName string     `json:"friendly_name"`
	Verified     bool       `json:"verified" doc:"One that is not protects nothing, and is removed after some minutes."`
	CreatedAt    time.Time  `json:"created_at"`
	LastUsedAt   *time.Time `json:"last_used_at" doc:"When a code of it was last asked for."`
}

// Passkey is a passkey on the wire.
type Passkey struct {
	ID           string     `json:"id"`
	FriendlyName string     `json:"friendly_name"`
	CreatedAt    time.Time  `json:"created_at"`
	LastUsedAt   *time.Time `json:"last_used_at"`
	BackedUp     bool       `json:"backed_up" doc:"Whether it is synced to other devices of the person."`
}

// Codes counts recovery codes.
type Codes struct {
	Total     int `json:"total" doc:"0 without codes."`
	Remaining int `json:"remaining"`
}

// Offers says what the settings of the platform project let a person add.
type Offers struct {
	App           bool `json:"app"`
	RecoveryCodes bool `json:"recovery_codes"`
	Passkeys      bool `json:"passkeys"`
	// PasskeysCount says that a sign-in with a passkey counts as two factors.
	PasskeysCount bool `json:"passkeys_count" doc:"Whether a sign-in with a passkey counts as one with a second factor."`
}

// App is an authenticator app to set up, shown once.
type App struct {
	ID     string `json:"id"`
	QRCode string `json:"qr_code" doc:"An image in SVG."`
	Secret string `json:"secret" doc:"Base32, for who cannot read the image."`
	URI    string `json:"uri" doc:"otpauth: URI that the image shows."`
}

// Ceremony is what a browser makes a passkey of.
type Ceremony struct {
	ChallengeID string `json:"challenge_id"`
	Options     any    `json:"options" doc:"PublicKeyCredentialCreationOptions in JSON (WebAuthn)."`
}

type enrollInput struct {
	Body struct {
		FriendlyName string `json:"friendly_name,omitempty" maxLength:"255"`
	}
}

type passkeyInput struct {
	Body struct {
		ChallengeID  string          `json:"challenge_id" maxLength:"36"`
		Credential   json.RawMessage `json:"credential" doc:"Of the browser, in JSON."`
		FriendlyName string          `json:"friendly_name,omitempty" maxLength:"120"`
	}
}

// NewCodes are recovery codes, shown once.
type NewCodes struct {
	Codes []string `json:"codes"`
}

func (h *Handler) mountFactors(api control.API) {
	nothing := func(map[string]any) map[string]any { return map[string]any{} }
	op := func(id, method, path, summary string, status int) control.Operation {
		return control.Operation{ID: id, Method: method, Path: "/v1/profile/" + path, Summary: summary, Tag: "Profile", Status: status, Recorded: nothing}
	}
	control.Register(api, op("list-factors", http.MethodGet, "factors", "List your second factors and passkeys", 0), h.factors)
	control.Register(api, op("enroll-factor", http.MethodPost, "factors", "Add an authenticator app", http.StatusCreated), h.enroll)
	control.Register(api, op("remove-factor", http.MethodDelete, "factors/{id}", "Remove a second factor", 0), h.unenroll)
	control.Register(api, op("create-recovery-codes", http.MethodPost, "recovery-codes", "Make recovery codes, in place of those that you have", http.StatusCreated), h.makeCodes)
	control.Register(api, op("remove-recovery-codes", http.MethodDelete, "recovery-codes", "Remove your recovery codes", 0), h.removeCodes)
	control.Register(api, op("begin-passkey", http.MethodPost, "passkeys/options", "Begin to add a passkey", 0), h.beginPasskey)
	control.Register(api, op("create-passkey", http.MethodPost, "passkeys", "Add a passkey", http.StatusCreated), h.addPasskey)
	control.Register(api, op("remove-passkey", http.MethodDelete, "passkeys/{id}", "Remove a passkey", 0), h.removePasskey)
}

func (h *Handler) factors(ctx context.Context, actor control.Actor, _ *struct{}) (*Held, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	return h.Factors.Factors(ctx, who)
}

func (h *Handler) enroll(ctx context.Context, actor control.Actor, in *enrollInput) (*App, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	return h.Factors.EnrollApp(ctx, who, in.Body.FriendlyName)
}

func (h *Handler) unenroll(ctx context.Context, actor control.Actor, in *byID) (*Done, error) {
	who, id, err := personAnd(actor, in.ID, auth.ErrFactorNotFound)
	if err != nil {
		return nil, err
	}
	return &Done{"The factor was removed"}, h.Factors.Unenroll(ctx, who, id)
}

func (h *Handler) makeCodes(ctx context.Context, actor control.Actor, _ *struct{}) (*NewCodes, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	codes, err := h.Factors.MakeCodes(ctx, who)
	return &NewCodes{codes}, err
}

func (h *Handler) removeCodes(ctx context.Context, actor control.Actor, _ *struct{}) (*Done, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	return &Done{"The recovery codes were removed"}, h.Factors.RemoveCodes(ctx, who)
}

func (h *Handler) beginPasskey(ctx context.Context, actor control.Actor, _ *struct{}) (*Ceremony, error) {
	who, err := person(actor)
	if err != nil {
		return nil, err
	}
	return h.Factors.BeginPasskey(ctx, who)
}

func (h *Handler) addPasskey(ctx context.Context, actor control.Actor, in *passkeyInput) (*Passkey, error) {
	who, challenge, err := personAnd(actor, in.Body.ChallengeID, auth.ErrCeremonyNotFound)
	if err != nil {
		return nil, err
	}
	k, err := h.Factors.AddPasskey(ctx, who, challenge, in.Body.Credential, in.Body.FriendlyName)
	if err != nil {
		return nil, err
	}
	out := PasskeyOnWire(k)
	return &out, nil
}

func (h *Handler) removePasskey(ctx context.Context, actor control.Actor, in *byID) (*Done, error) {
	who, id, err := personAnd(actor, in.ID, auth.ErrPasskeyNotFound)
	if err != nil {
		return nil, err
	}
	return &Done{"The passkey was removed"}, h.Factors.RemovePasskey(ctx, who, id)
}

// personAnd is person with an id, which is unknown when it is malformed.
func personAnd(actor control.Actor, text string, unknown error) (Person, uuid.UUID, error) {
	who, err := person(actor)
	if err != nil {
		return who, uuid.Nil, err
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return who, uuid.Nil, unknown
	}
	return who, id, nil
}

// FactorOnWire is a factor as the API shows it.
func FactorOnWire(f auth.Factor) Factor {
	return Factor{
		ID: f.ID.String(), Type: f.Type, FriendlyName: f.FriendlyName, Verified: f.Status == auth.StatusVerified,
		CreatedAt: f.CreatedAt.UTC(), LastUsedAt: f.LastChallengedAt,
	}
}

// PasskeyOnWire is a passkey as the API shows it.
func PasskeyOnWire(k auth.Passkey) Passkey {
	return Passkey{ID: k.ID.String(), FriendlyName: k.FriendlyName, CreatedAt: k.CreatedAt.UTC(), LastUsedAt: k.LastUsedAt, BackedUp: k.BackedUp}
}
