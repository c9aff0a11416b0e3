package factor

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/internal/authapi/mail"
	"github.com/reevehq/reeve/internal/authapi/session"
	"github.com/reevehq/reeve/internal/message"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// The sizes and bounds are the reference's.
const (
	codesOfSet   = 10
	codeBytes    = 10 // 80 bits, 16 characters of base32
	codesName    = "Recovery codes"
	codeTries    = 5 // wrong ones in a row
	codeLock     = 15 * time.Minute
	maxTypedCode = 64 // bytes, with what separates groups
)

// errRecoveryCode has one text for a wrong code, a used one, and a user without codes.
var errRecoveryCode = auth.ErrFactorCode.Saying("Invalid recovery code entered")

// RecoveryCodes is a user's set of recovery codes. Codes are shown once.
type RecoveryCodes struct {
	ID        uuid.UUID `json:"id"` // of the factor
	Type      string    `json:"type"`
	Name      string    `json:"friendly_name,omitempty"`
	Total     int       `json:"total"`
	Remaining *int      `json:"remaining,omitempty"`
	Codes     []string  `json:"codes,omitempty"`
}

// RecoveryCodes says how many codes a user has left. auth.ErrCodesNotFound.
func (s Service) RecoveryCodes(ctx context.Context, sc *tenants.Scope, p *auth.Principal) (*RecoveryCodes, error) {
	if p.User.IsAnonymous {
		return nil, auth.ErrAnonymousFactor
	}
	var out *RecoveryCodes
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) error {
		set, err := tx.RecoverySet(ctx, p.User.ID, false)
		if err != nil {
			return err
		}
		total, remaining, err := tx.CountRecoveryCodes(ctx, set.ID)
		out = &RecoveryCodes{ID: set.FactorID, Type: auth.FactorRecoveryCode, Total: total, Remaining: &remaining}
		return err
	})
	return out, err
}

// CreateRecoveryCodes makes the recovery codes of a user who has another factor.
// auth.ErrAnonymousFactor, auth.ErrCodesEnrollOff, auth.ErrCodesAAL,
// auth.ErrFactorExists, auth.ErrTooManyFactors, auth.ErrCodesSoleFactor,
// auth.ErrFactorName, auth.ErrValidation.
func (s Service) CreateRecoveryCodes(ctx context.Context, sc *tenants.Scope, p *auth.Principal, name string) (*RecoveryCodes, error) {
	if utf8.RuneCountInString(name) > maxName {
		return nil, auth.ErrValidation.Saying("friendly_name can have at most " + itoa(maxName) + " characters")
	}
	if strings.TrimSpace(name) == "" {
		name = codesName
	}
	key := tenantdb.FactorKey{UserID: p.User.ID, Factor: auth.Factor{
		ID: uuid.New(), FriendlyName: name, Type: auth.FactorRecoveryCode, Status: auth.StatusVerified,
	}}
	codes, hashes := newRecoveryCodes(sc.Tenant, key.ID)
	err := s.changeCodes(ctx, sc, p, message.FactorEnrolled, func(tx *tenantdb.Tx, told *mail.Notices, now time.Time) error {
		if err := tx.DeleteUnverifiedFactors(ctx, p.User.ID, "", uuid.Nil, now.Add(-enrollLife)); err != nil {
			return err
		}
		have, err := tx.Factors(ctx, p.User.ID)
		switch {
		case err != nil:
			return err
		case slices.ContainsFunc(have, func(f auth.Factor) bool { return f.Type == auth.FactorRecoveryCode }):
			return auth.ErrFactorExists.Saying("Recovery codes are already enrolled for this user, use regenerate to rotate them")
		case len(have) >= sc.Tenant.Config.MaxFactors:
			return auth.ErrTooManyFactors
		case !hasUsable(&sc.Tenant.Config, have, uuid.Nil):
			return auth.ErrCodesSoleFactor
		}
		key.CreatedAt = now
		if err := tx.CreateFactor(ctx, key); err != nil {
			return err
		}
		set := tenantdb.RecoverySet{ID: uuid.New(), FactorID: key.ID}
		if err := tx.CreateRecoverySet(ctx, p.User.ID, set, now); err != nil {
			return err
		}
		if err := errors.Join(tx.ReplaceRecoveryCodes(ctx, set.ID, hashes, now), enrolledIn(ctx, tx, p, key.ID, now)); err != nil {
			return err
		}
		if _, err = audit.User(ctx, tx, sc, &p.User, auth.ActionRecoveryCodesGenerated, codesTraits(key.ID, "count", codesOfSet), now); err != nil {
			return err
		}
		return told.Put(ctx, tx, mail.Notice{Kind: message.FactorEnrolled, User: &p.User, FactorType: key.Type})
	})
	if err != nil {
		return nil, err
	}
	return &RecoveryCodes{ID: key.ID, Type: key.Type, Name: name, Total: len(codes), Codes: codes}, nil
}

// RegenerateRecoveryCodes replaces a user's codes, the used ones too, and ends a lock.
// auth.ErrAnonymousFactor, auth.ErrCodesEnrollOff, auth.ErrCodesAAL,
// auth.ErrCodesNotFound.
func (s Service) RegenerateRecoveryCodes(ctx context.Context, sc *tenants.Scope, p *auth.Principal) (*RecoveryCodes, error) {
	var out *RecoveryCodes
	err := s.changeCodes(ctx, sc, p, message.FactorEnrolled, func(tx *tenantdb.Tx, _ *mail.Notices, now time.Time) error {
		set, err := tx.RecoverySet(ctx, p.User.ID, true)
		if err != nil {
			return err
		}
		key, err := tx.FactorKey(ctx, p.User.ID, set.FactorID)
		if err != nil {
			return err
		}
		codes, hashes := newRecoveryCodes(sc.Tenant, key.ID)
		if err := errors.Join(tx.ReplaceRecoveryCodes(ctx, set.ID, hashes, now), enrolledIn(ctx, tx, p, key.ID, now)); err != nil {
			return err
		}
		set.Failed, set.LockedUntil = 0, nil
		if err := tx.PutRecoveryTries(ctx, set, now); err != nil {
			return err
		}
		out = &RecoveryCodes{ID: key.ID, Type: key.Type, Name: key.FriendlyName, Total: len(codes), Codes: codes}
		_, err = audit.User(ctx, tx, sc, &p.User, auth.ActionRecoveryCodesRegenerated, codesTraits(key.ID, "count", codesOfSet), now)
		return err
	})
	return out, err
}

// DeleteRecoveryCodes removes a user's codes and returns the factor that they were.
// Sessions that a code raised go back to aal1. auth.ErrAnonymousFactor,
// auth.ErrCodesAAL, auth.ErrCodesNotFound.
func (s Service) DeleteRecoveryCodes(ctx context.Context, sc *tenants.Scope, p *auth.Principal) (factor uuid.UUID, err error) {
	err = s.changeCodes(ctx, sc, p, message.FactorUnenrolled, func(tx *tenantdb.Tx, told *mail.Notices, now time.Time) error {
		set, err := tx.RecoverySet(ctx, p.User.ID, true)
		if err != nil {
			return err
		}
		factor = set.FactorID
		if err := tx.LowerSessions(ctx, p.User.ID, factor, now); err != nil {
			return err
		}
		if _, err := tx.DeleteFactor(ctx, p.User.ID, factor); err != nil {
			return err
		}
		if _, err = audit.User(ctx, tx, sc, &p.User, auth.ActionRecoveryCodesDeleted, audit.Traits{"factor_id": factor.String()}, now); err != nil {
			return err
		}
		return told.Put(ctx, tx, mail.Notice{Kind: message.FactorUnenrolled, User: &p.User, FactorType: auth.FactorRecoveryCode})
	})
	return factor, err
}

// changeCodes runs fn with the user locked, if the session is at aal2 and, for an
// enrollment, the project allows it.
func (s Service) changeCodes(ctx context.Context, sc *tenants.Scope, p *auth.Principal, kind message.Kind, fn func(tx *tenantdb.Tx, told *mail.Notices, now time.Time) error) error {
	if p.User.IsAnonymous {
		return auth.ErrAnonymousFactor
	}
	if kind == message.FactorEnrolled && !sc.Tenant.Config.RecoveryEnroll {
		return auth.ErrCodesEnrollOff
	}
	return s.change(ctx, sc, kind, func(tx *tenantdb.Tx, told *mail.Notices) error {
		if err := s.lock(ctx, tx, p); err != nil {
			return err
		}
		if p.Session.AAL != auth.AAL2 {
			return auth.ErrCodesAAL
		}
		return fn(tx, told, s.Sessions.Now())
	})
}

// VerifyRecoveryCode uses a code up and raises the session to aal2. Case, spaces and
// hyphens of what was typed do not matter. The user's other sessions end unless they
// are at aal2 themselves. auth.ErrAnonymousFactor, auth.ErrCodesVerifyOff,
// auth.ErrFactorCode, auth.ErrCodesLocked, auth.ErrValidation.
func (s Service) VerifyRecoveryCode(ctx context.Context, sc *tenants.Scope, p *auth.Principal, typed string) (*session.Tokens, error) {
	if p.User.IsAnonymous {
		return nil, auth.ErrAnonymousFactor
	}
	if !sc.Tenant.Config.RecoveryVerify {
		return nil, auth.ErrCodesVerifyOff
	}
	if len(typed) > maxTypedCode {
		return nil, errRecoveryCode
	}
	code := normalCode(typed)
	if code == "" {
		return nil, auth.ErrValidation.Saying("Code needs to be non-empty")
	}
	known, err := s.known(ctx, sc, p.User.ID)
	if err != nil {
		return nil, err
	}
	if known {
		return s.tryCode(ctx, sc, p, code, true)
	}
	var tokens *session.Tokens
	err = s.Guesses.Guess(ctx, sc.Tenant.Ref, strangeCodes, p.User.ID.String(), auth.ErrFactorCode, func() error {
		tokens, err = s.tryCode(ctx, sc, p, code, false)
		return err
	})
	return tokens, err
}

// tryCode is VerifyRecoveryCode for a code in normal form. The lock of the set holds for
// clients in networks that are known, and their wrong codes lock it.
func (s Service) tryCode(ctx context.Context, sc *tenants.Scope, p *auth.Principal, code string, known bool) (*session.Tokens, error) {
	factor, match, err := s.matchCode(ctx, sc, p.User.ID, code, known)
	if err != nil {
		return nil, err
	}
	if err := s.attempted(ctx, sc, p, factor, auth.FactorRecoveryCode, match != uuid.Nil); err != nil {
		if match == uuid.Nil {
			return nil, wrongCode{err}
		}
		return nil, err
	}
	return s.raise(ctx, sc, p, message.RecoveryCodeUsed, func(tx *tenantdb.Tx, current *auth.Principal, told *mail.Notices) (*session.Upgrade, error) {
		return s.proveCode(ctx, tx, current, told, match, known)
	})
}

// matchCode finds the user's code that was typed; match is uuid.Nil for none. It
// changes nothing and is in no transaction of a change, because the hashes of a dump
// are slow to compare.
func (s Service) matchCode(ctx context.Context, sc *tenants.Scope, user uuid.UUID, typed string, known bool) (factor, match uuid.UUID, err error) {
	var codes []tenantdb.RecoveryCode
	err = sc.DB.Tx(ctx, func(tx *tenantdb.Tx) error {
		set, err := tx.RecoverySet(ctx, user, false)
		if err == nil && known {
			err = notLocked(set, s.Sessions.Now())
		}
		if err != nil {
			return asRecoveryCode(err)
		}
		factor = set.FactorID
		codes, err = tx.RecoveryCodes(ctx, set.ID)
		return err
	})
	if err != nil {
		return factor, match, err
	}
	for _, c := range codes { // all of them, whichever is the one
		right, err := s.isCode(ctx, sc, factor, c.Hash, typed)
		if err != nil {
			return factor, match, err
		}
		if right {
			match = c.ID
		}
	}
	return factor, match, nil
}

// proveCode uses a code up, in the transaction that raises the session. A wrong one, or
// one that another request has used meanwhile, is counted where the client's network is
// known. Nobody there learns whether it was right while the codes are locked.
func (s Service) proveCode(ctx context.Context, tx *tenantdb.Tx, p *auth.Principal, told *mail.Notices, match uuid.UUID, known bool) (*session.Upgrade, error) {
	now := s.Sessions.Now()
	set, err := tx.RecoverySet(ctx, p.User.ID, true)
	if err == nil && known {
		err = notLocked(set, now)
	}
	if err != nil {
		return nil, asRecoveryCode(err)
	}
	if known && set.LockedUntil != nil {
		set.Failed, set.LockedUntil = 0, nil // it is over
	}
	used := false
	if match != uuid.Nil {
		if used, err = tx.UseRecoveryCode(ctx, set.ID, match, now); err != nil {
			return nil, err
		}
	}
	if !used && !known {
		return &session.Upgrade{Refused: errRecoveryCode}, nil
	}
	if !used {
		if set.Failed++; set.Failed >= codeTries {
			until := now.Add(codeLock)
			set.LockedUntil = &until
		}
		return &session.Upgrade{Refused: errRecoveryCode}, tx.PutRecoveryTries(ctx, set, now)
	}
	set.Failed, set.LockedUntil = 0, nil
	if err := errors.Join(tx.PutRecoveryTries(ctx, set, now), tx.DeleteLowSessions(ctx, p.User.ID, p.Session.ID)); err != nil {
		return nil, err
	}
	_, remaining, err := tx.CountRecoveryCodes(ctx, set.ID)
	if err != nil {
		return nil, err
	}
	if err := told.Put(ctx, tx, mail.Notice{Kind: message.RecoveryCodeUsed, User: &p.User, FactorType: auth.FactorRecoveryCode}); err != nil {
		return nil, err
	}
	return &session.Upgrade{
		AAL: auth.AAL2, Method: auth.MethodRecoveryCode, Factor: set.FactorID,
		Action: auth.ActionRecoveryCodesVerified, Traits: codesTraits(set.FactorID, "remaining", remaining),
	}, nil
}

// notLocked returns auth.ErrCodesLocked while wrong codes keep a set from being used.
func notLocked(set tenantdb.RecoverySet, now time.Time) error {
	if set.LockedUntil == nil || !now.Before(*set.LockedUntil) {
		return nil
	}
	return auth.ErrCodesLocked.After(min(set.LockedUntil.Sub(now), codeLock))
}

// asRecoveryCode hides whether the user has codes.
func asRecoveryCode(err error) error {
	if errors.Is(err, auth.ErrFactorNotFound) {
		return errRecoveryCode.Because(err)
	}
	return err
}

func codesTraits(factor uuid.UUID, name string, n int) audit.Traits {
	return audit.Traits{"factor_id": factor.String(), name: n}
}

// newRecoveryCodes makes a set of codes and the hashes to store. The alphabet of base32
// has no 0, 1, 8 and 9, so nothing of it is taken for another.
func newRecoveryCodes(t *tenants.Tenant, factor uuid.UUID) (codes, hashes []string) {
	for range codesOfSet {
		raw := make([]byte, codeBytes)
		_, _ = rand.Read(raw) // never fails
		code := strings.ToLower(noPadding.EncodeToString(raw))
		codes, hashes = append(codes, code), append(hashes, codeHash(t, factor, code))
	}
	return codes, hashes
}

// normalCode is what was typed in the form in which codes are made: people add spaces
// and hyphens, and take lower case for upper.
func normalCode(typed string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '-' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, typed))
}

const codeHashPrefix = "reeve1:"

// codeHash is what is stored of a code. A code has 80 random bits, which nobody
// guesses however fast the hash is; so there is no slow one, and the project's key
// makes a copy of the database worth nothing at all. The factor is in it, so that a
// row that SQL copies to another user is not theirs.
func codeHash(t *tenants.Tenant, factor uuid.UUID, code string) string {
	mac := hmac.New(sha256.New, t.Secrets.OTPKey)
	mac.Write([]byte("recovery code\x00" + factor.String() + "\x00" + code))
	return codeHashPrefix + hex.EncodeToString(mac.Sum(nil))
}

// isCode compares a code with a stored hash: ours, or that of a hosted project that
// moved here, which is one of Argon2id.
func (s Service) isCode(ctx context.Context, sc *tenants.Scope, factor uuid.UUID, hash, code string) (bool, error) {
	switch {
	case strings.HasPrefix(hash, codeHashPrefix):
		return hmac.Equal([]byte(hash), []byte(codeHash(sc.Tenant, factor, code))), nil
	case strings.HasPrefix(hash, "$argon2id$"):
		right, _, err := s.Hasher.Verify(ctx, sc.Tenant.Ref, hash, code)
		return right, err
	}
	return false, nil
}

// hasUsable reports whether a user has a factor that protects a sign-in by itself,
// beside one: verified, of a kind that the project accepts, and no recovery codes.
func hasUsable(c *tenants.Config, factors []auth.Factor, but uuid.UUID) bool {
	accepted := map[string]bool{KindTOTP: c.TOTPVerify, KindPhone: c.PhoneVerify, KindWebAuthn: c.WebAuthnVerify}
	return slices.ContainsFunc(factors, func(f auth.Factor) bool { return f.ID != but && f.Verified() && accepted[f.Type] })
}

// keepsCodes refuses to remove a verified factor that is the last beside recovery
// codes.
func keepsCodes(ctx context.Context, tx *tenantdb.Tx, sc *tenants.Scope, key tenantdb.FactorKey) error {
	if !key.Verified() {
		return nil
	}
	have, err := tx.Factors(ctx, key.UserID)
	if err != nil {
		return err
	}
	codes := slices.ContainsFunc(have, func(f auth.Factor) bool { return f.Type == auth.FactorRecoveryCode })
	if codes && !hasUsable(&sc.Tenant.Config, have, key.ID) {
		return auth.ErrCodesSoleFactor.Saying("This is the last factor beside recovery codes, delete these first")
	}
	return nil
}
