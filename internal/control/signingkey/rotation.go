package signingkey

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/authz"
	"github.com/reevehq/reeve/internal/control/text"
	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/internal/keyrotation"
	"github.com/reevehq/reeve/internal/secret"
	"github.com/reevehq/reeve/internal/web/control"
)

// ErrStep is returned when a step is asked for that is not the next one.
var ErrStep = fault.New(fault.Conflict, "signing_key_step", "That is not the next step of the rotation")

const (
	// tokensOf is for how long before a promotion configurations are asked for the life
	// of tokens: the longest life of a token, and a day.
	tokensOf = 8 * 24 * time.Hour
	// maxOldSets bounds the verifiers with an old set that are shown.
	maxOldSets = 50
)

// Rotation is the rotation of a project's signing keys on the wire.
type Rotation struct {
	Days          int       `json:"days" doc:"From one rotation to the next; 0 for rotations on demand only"`
	Algorithm     string    `json:"algorithm" enum:"ES256,RS256,EdDSA" doc:"Of new keys"`
	Held          bool      `json:"held" doc:"No step is made until it is released"`
	Phase         string    `json:"phase" enum:"idle,published,promoted"`
	Since         time.Time `json:"since" doc:"When the phase began"`
	KeyID         *string   `json:"key_id" format:"uuid" nullable:"true" doc:"The published or promoted key"`
	PreviousKeyID *string   `json:"previous_key_id" format:"uuid" nullable:"true" doc:"The key that it replaced"`
	NextStep      string    `json:"next_step" enum:"publish,promote,retire"`
	NextAt        *string   `json:"next_at" format:"date-time" nullable:"true" doc:"Not before this time; null for on demand only"`
	WaitsFor      string    `json:"waits_for" enum:"demand,schedule,caches,verifiers,tokens,release" doc:"Why the next step is not made now"`
	OldSets       []Reader  `json:"old_sets" nullable:"false" doc:"Verifiers that keep an old key set, the latest first; at most 50"`
}

// Reader is a verifier that was given the present key set and still names an old one.
type Reader struct {
	IP        string    `json:"ip"`
	UserAgent string    `json:"user_agent"`
	FirstAt   time.Time `json:"first_at"`
	LastAt    time.Time `json:"last_at"`
	Requests  int64     `json:"requests"`
}

// RotationBody is the body of a change of the plan; what is absent stays.
type RotationBody struct {
	Days      *int    `json:"days,omitempty" minimum:"0" maximum:"730"`
	Algorithm *string `json:"algorithm,omitempty" enum:"ES256,RS256,EdDSA"`
	Held      *bool   `json:"held,omitempty"`
}

// StepBody names the step to make now. One that is made already is an error, so
// that a repeated request does not make the one after it.
type StepBody struct {
	Step string `json:"step" enum:"publish,promote,retire"`
}

// Rotation returns where the project's rotation is.
func (s *Service) Rotation(ctx context.Context, actor authz.Actor, ref string) (*Rotation, error) {
	p, err := s.Authz.Project(ctx, actor, authz.ReadSigningKeys, ref)
	if err != nil {
		return nil, err
	}
	k, err := s.DB.KeyRotation(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	return s.show(ctx, k)
}

// Plan changes when and how keys rotate.
func (s *Service) Plan(ctx context.Context, actor authz.Actor, ref string, b RotationBody) (*Rotation, error) {
	return s.change(ctx, actor, ref, func(_ context.Context, _ *controldb.Tx, k *controldb.KeyRotation, _ *secret.DataKey) error {
		if b.Days != nil {
			if *b.Days < 0 || *b.Days > keyrotation.MaxDays {
				return text.Invalid("days: must be 0 to %d", keyrotation.MaxDays)
			}
			k.Days = *b.Days
		}
		if b.Algorithm != nil {
			k.Algorithm = *b.Algorithm
		}
		if b.Held != nil {
			k.Held = *b.Held
		}
		_, k.LookAt = k.Next(k.Plan)
		return nil
	})
}

// Advance makes the next step now, whatever it waits for; ErrStep if it is another
// one. A key that is promoted too early signs tokens that verifiers refuse until
// they fetch the key set, and one that is retired too early ends sessions' tokens.
func (s *Service) Advance(ctx context.Context, actor authz.Actor, ref string, step keyrotation.Step) (*Rotation, error) {
	return s.change(ctx, actor, ref, func(ctx context.Context, tx *controldb.Tx, k *controldb.KeyRotation, dk *secret.DataKey) error {
		if next, _ := k.Next(k.Plan); next != step {
			return ErrStep
		}
		made, err := advance(ctx, tx, k, dk, s.now())
		if err == nil && made != step {
			return ErrStep.Saying("A key was moved or deleted meanwhile: look at the rotation again")
		}
		return err
	})
}

// changeRotation changes a rotation, with the project locked.
type changeRotation func(context.Context, *controldb.Tx, *controldb.KeyRotation, *secret.DataKey) error

func (s *Service) change(ctx context.Context, actor authz.Actor, ref string, fn changeRotation) (*Rotation, error) {
	p, err := s.Authz.Project(ctx, actor, authz.WriteSigningKeys, ref)
	if err != nil {
		return nil, err
	}
	dk, err := s.DB.DataKey(ctx, p.Ref)
	if err != nil {
		return nil, err
	}
	var k controldb.KeyRotation
	err = s.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if _, err := tx.LockProject(ctx, p.Ref); err != nil {
			return err
		}
		if k, err = tx.KeyRotation(ctx, p.Ref); err != nil {
			return err
		}
		if err := fn(ctx, tx, &k, dk); err != nil {
			return err
		}
		return tx.PutKeyRotation(ctx, k)
	})
	if err != nil {
		return nil, err
	}
	return s.show(ctx, k)
}

func (s *Service) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Service) show(ctx context.Context, k controldb.KeyRotation) (*Rotation, error) {
	now := s.now()
	old, err := s.DB.OldSets(ctx, k.Ref, now, maxOldSets)
	if err != nil {
		return nil, err
	}
	next, at := k.Next(k.Plan)
	out := &Rotation{
		Days: k.Days, Algorithm: k.Algorithm, Held: k.Held, Phase: string(k.Phase), Since: k.Since, KeyID: idOf(k.Key),
		PreviousKeyID: idOf(k.Previous), NextStep: string(next), WaitsFor: waitsFor(k, len(old) > 0, now), OldSets: make([]Reader, len(old)),
	}
	if !at.IsZero() {
		text := at.UTC().Format(time.RFC3339)
		out.NextAt = &text
	}
	for i, o := range old {
		out.OldSets[i] = Reader{IP: o.IP, UserAgent: o.Agent, FirstAt: o.FirstAt.UTC(), LastAt: o.LastAt.UTC(), Requests: o.Requests}
	}
	return out, nil
}

func idOf(id uuid.UUID) *string {
	if id == uuid.Nil {
		return nil
	}
	text := id.String()
	return &text
}

// waitsFor says why the next step is not made now; old says whether verifiers keep
// an old set.
func waitsFor(k controldb.KeyRotation, old bool, now time.Time) string {
	_, at := k.Next(k.Plan)
	switch {
	case k.Held:
		return "release"
	case k.Phase == keyrotation.Published && old && !at.After(now):
		return "verifiers"
	case k.Phase == keyrotation.Published:
		return "caches"
	case k.Phase == keyrotation.Promoted:
		return "tokens"
	case at.IsZero():
		return "demand"
	}
	return "schedule"
}

// The handlers.

type rotationInput struct {
	Ref  string `path:"ref"`
	Body RotationBody
}

type stepInput struct {
	Ref  string `path:"ref"`
	Body StepBody
}

func (h *Handler) rotation(ctx context.Context, actor control.Actor, in *refInput) (*Rotation, error) {
	return h.Service.Rotation(ctx, actor, in.Ref)
}

func (h *Handler) plan(ctx context.Context, actor control.Actor, in *rotationInput) (*Rotation, error) {
	return h.Service.Plan(ctx, actor, in.Ref, in.Body)
}

func (h *Handler) advance(ctx context.Context, actor control.Actor, in *stepInput) (*Rotation, error) {
	return h.Service.Advance(ctx, actor, in.Ref, keyrotation.Step(in.Body.Step))
}
