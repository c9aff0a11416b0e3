package signingkey

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reevehq/reeve/internal/controldb"
	"github.com/reevehq/reeve/internal/keyrotation"
	"github.com/reevehq/reeve/internal/projectlog"
	"github.com/reevehq/reeve/tenants"
)

const (
	// manyRotations bounds the projects of one run.
	manyRotations = 200
	// lookAgain is when a step that verifiers block is looked at again, and retryAfter
	// one that failed.
	lookAgain  = 10 * time.Minute
	retryAfter = time.Hour
)

// Autopilot makes the steps of rotations when they are due. What it did, and what
// keeps it, is in the project's log.
type Autopilot struct {
	DB  *controldb.DB
	Log *projectlog.Log
	Now func() time.Time
}

// Run makes the steps that are due, and warns projects whose verifiers keep an old
// key set. It may be repeated.
func (a Autopilot) Run(ctx context.Context) error {
	refs, err := a.DB.KeyRotationsDue(ctx, a.Now(), manyRotations)
	if err != nil {
		return err
	}
	var failed []error
	for _, ref := range refs {
		if err := a.rotate(ctx, ref); err != nil {
			failed = append(failed, fmt.Errorf("rotate the signing keys of %s: %w", ref, err))
		}
	}
	return errors.Join(append(failed, a.warn(ctx))...)
}

func (a Autopilot) rotate(ctx context.Context, ref tenants.Ref) error {
	now := a.Now()
	var made keyrotation.Step
	var k controldb.KeyRotation
	dk, err := a.DB.DataKey(ctx, ref)
	if err != nil {
		return err
	}
	err = a.DB.Tx(ctx, func(tx *controldb.Tx) error {
		made = ""
		if _, err := tx.LockProject(ctx, ref); err != nil {
			return err
		}
		var err error
		if k, err = tx.KeyRotation(ctx, ref); err != nil {
			return err
		}
		step, due := k.Next(k.Plan)
		switch {
		case k.Held, due.IsZero(), due.After(now): // changed meanwhile
			k.LookAt = due
			return tx.PutKeyRotation(ctx, k)
		case step == keyrotation.Promote && now.Before(due.Add(keyrotation.MaxWait)):
			old, err := tx.OldSets(ctx, ref, now, 1)
			if err != nil {
				return err
			}
			if len(old) > 0 {
				k.LookAt = now.Add(lookAgain)
				return tx.PutKeyRotation(ctx, k)
			}
		}
		if made, err = advance(ctx, tx, &k, dk, now); err != nil {
			return err
		}
		return tx.PutKeyRotation(ctx, k)
	})
	if errors.Is(err, controldb.ErrSigningKeyLimit) {
		a.Log.Add(ctx, projectlog.Entry{
			Project: string(ref), At: now, Level: projectlog.Error, Code: "signing_key_rotation_failed",
			Message: fmt.Sprintf("Signing keys do not rotate: the project has its maximum of %d keys, and none that is revoked. Delete one.", controldb.MaxSigningKeys),
		})
		return a.later(ctx, ref, now.Add(retryAfter))
	}
	if err != nil || made == "" {
		return err
	}
	a.Log.Add(ctx, projectlog.Entry{
		Project: string(ref), At: now, Level: projectlog.Info, Code: "signing_key_" + string(made), Message: said[made],
		Detail: map[string]any{"key_id": k.Key.String(), "previous_key_id": k.Previous.String()},
	})
	return nil
}

var said = map[keyrotation.Step]string{
	keyrotation.Publish: "The next signing key is in the key set. It signs once every verifier can know it.",
	keyrotation.Promote: "The next signing key is in use. Tokens of the previous one are accepted until they have expired.",
	keyrotation.Retire:  "The previous signing key is not accepted any more: its last token has expired.",
}

func (a Autopilot) later(ctx context.Context, ref tenants.Ref, at time.Time) error {
	return a.DB.Tx(ctx, func(tx *controldb.Tx) error {
		if _, err := tx.LockProject(ctx, ref); err != nil {
			return err
		}
		k, err := tx.KeyRotation(ctx, ref)
		if err != nil {
			return err
		}
		k.LookAt = at
		return tx.PutKeyRotation(ctx, k)
	})
}

// warn writes who keeps an old key set into the projects' logs, once a day each.
func (a Autopilot) warn(ctx context.Context) error {
	old, err := a.DB.UnreportedOldSets(ctx, a.Now(), manyRotations)
	if err != nil {
		return err
	}
	for _, o := range old {
		a.Log.Add(ctx, projectlog.Entry{
			Project: string(o.Ref), At: a.Now(), Level: projectlog.Warning, Code: "old_key_set", ClientIP: o.IP,
			Message: "A verifier of tokens was given the present key set, and still uses an old one. It will refuse tokens of a key that it does not know.",
			Detail:  map[string]any{"user_agent": o.Agent, "since": o.FirstAt.UTC().Format(time.RFC3339), "requests": o.Requests},
		})
		if err := a.DB.ReportedOldSet(ctx, o); err != nil {
			return err
		}
	}
	return nil
}
