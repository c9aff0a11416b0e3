package apikey

import (
	"encoding/hex"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/web/control"
	"github.com/reevehq/reeve/tenants"
)

// Key is an API key on the wire. APIKey is null for a secret key, except in the
// answer to its creation, because the text is not stored. SecretJWTTemplate says what
// role a secret key has, which is service_role; null for the others.
type Key struct {
	APIKey            *string        `json:"api_key" nullable:"true"`
	ID                *string        `json:"id" nullable:"true"`
	Type              string         `json:"type" enum:"legacy,publishable,secret"`
	Prefix            *string        `json:"prefix" nullable:"true"`
	Name              string         `json:"name"`
	Description       *string        `json:"description" nullable:"true"`
	Hash              *string        `json:"hash" nullable:"true" doc:"HMAC of the text, in hex."`
	SecretJWTTemplate map[string]any `json:"secret_jwt_template" nullable:"true"`
	InsertedAt        *time.Time     `json:"inserted_at" nullable:"true"`
	UpdatedAt         *time.Time     `json:"updated_at" nullable:"true"`
	Restrictions
	ReplacedBy *string `json:"replaced_by,omitempty" doc:"Id of the key that replaces this one, by rotation."`
}

// Legacy reports whether legacy JWT keys are accepted.
type Legacy struct {
	Enabled bool `json:"enabled"`
}

// CreateBody is the body of create. No template is accepted but that of all secret keys.
type CreateBody struct {
	Type              string         `json:"type" enum:"publishable,secret"`
	Name              string         `json:"name" minLength:"4" maxLength:"64" pattern:"^[a-z_][a-z0-9_]+$"`
	Description       *string        `json:"description,omitempty" nullable:"true" maxLength:"1024"`
	SecretJWTTemplate map[string]any `json:"secret_jwt_template,omitempty" nullable:"true"`
	Restrictions
}

// UpdateBody is the body of update; null removes a description. No
// template is accepted but that of all secret keys.
type UpdateBody struct {
	Name              string         `json:"name,omitempty" minLength:"4" maxLength:"64" pattern:"^[a-z_][a-z0-9_]+$"`
	Description       *string        `json:"description,omitempty" nullable:"true" maxLength:"1024"`
	SecretJWTTemplate map[string]any `json:"secret_jwt_template,omitempty" nullable:"true"`
	Restrictions
}

// Reveal is accepted wherever the reference has it, without effect: a secret
// key's text cannot be revealed, and nothing else is hidden.
type listInput struct {
	Ref    string `path:"ref"`
	Reveal bool   `query:"reveal"`
}

type createInput struct {
	Ref    string `path:"ref"`
	Reveal bool   `query:"reveal"`
	Body   CreateBody
}

type keyInput struct {
	Ref    string `path:"ref"`
	ID     string `path:"id"`
	Reveal bool   `query:"reveal"`
}

type rotateInput struct {
	Ref    string `path:"ref"`
	ID     string `path:"id"`
	Reveal bool   `query:"reveal"`
	Body   RotateBody
}

type updateInput struct {
	Ref    string `path:"ref"`
	ID     string `path:"id"`
	Reveal bool   `query:"reveal"`
	Body   control.Object
}

type deleteInput struct {
	Ref    string `path:"ref"`
	ID     string `path:"id"`
	Reveal bool   `query:"reveal"`
	Deletion
}

// Deletion is the reason for a key's deletion.
type Deletion struct {
	WasCompromised bool   `query:"was_compromised"`
	Reason         string `query:"reason" maxLength:"1024"`
}

type legacyInput struct {
	Ref string `path:"ref"`
}

type setLegacyInput struct {
	Ref     string `path:"ref"`
	Enabled bool   `query:"enabled" required:"true"`
}

// onWire converts a key; text is empty if it must not be shown.
func onWire(k controldb.APIKey, text string) Key {
	id, hash, prefix := k.ID.String(), hex.EncodeToString(k.Hash[:]), k.Type.Prefix()+k.Prefix
	inserted, updated := k.CreatedAt.UTC(), k.UpdatedAt.UTC()
	out := Key{
		ID: &id, Type: string(k.Type), Prefix: &prefix, Name: k.Name, Description: k.Description, Hash: &hash,
		InsertedAt: &inserted, UpdatedAt: &updated, Restrictions: restrictionsOf(k),
	}
	if k.Type == tenants.KeySecret {
		out.SecretJWTTemplate = map[string]any{"role": secretRole}
	}
	if k.Successor != nil {
		by := k.Successor.String()
		out.ReplacedBy = &by
	}
	if text != "" {
		out.APIKey = &text
	}
	return out
}
