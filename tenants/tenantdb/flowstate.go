package tenantdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/reevehq/reeve/internal/auth"
)

// codeDigest is what is stored of an authorization code: the developers of a project
// can read the table. A code is a random UUID, which needs no key. Nothing else is
// accepted, not even the codes that releases before digests stored: of exchanges that
// are under way during an upgrade, those of the older release would not know the
// digests of the newer one anyway, and the user signs in again.
func codeDigest(code string) string {
	if code == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// CreateFlowState writes the start of a PKCE exchange or of a sign-in at a
// provider.
func (tx *Tx) CreateFlowState(ctx context.Context, f *auth.FlowState) error {
	return tx.q.Later(ctx, "create flow state", `INSERT INTO auth.flow_state (id, user_id, auth_code, code_challenge_method, code_challenge,
			provider_type, authentication_method, auth_code_issued_at, created_at, updated_at,
			referrer, linking_target_id, provider_access_token)
		VALUES ($1, $2, nullif($3, ''), nullif($4, '')::auth.code_challenge_method, nullif($5, ''), $6, $7, $8, $9, $9,
			nullif($10, ''), $11, nullif($12, ''))`,
		f.ID, f.UserID, codeDigest(f.AuthCode), f.CodeChallengeMethod, f.CodeChallenge, f.ProviderType,
		string(f.AuthenticationMethod), f.AuthCodeIssuedAt, f.CreatedAt, f.RedirectTo, f.LinkTo, f.ProviderTokens)
}

// OpenFlowState returns the user's newest PKCE exchange of this method that has
// no code yet; auth.ErrFlowNotFound.
func (tx *Tx) OpenFlowState(ctx context.Context, user uuid.UUID, method auth.Method) (auth.FlowState, error) {
	return tx.flowState(ctx, `f.user_id = $1 AND f.authentication_method = $2 AND f.auth_code_issued_at IS NULL
		ORDER BY f.created_at DESC LIMIT 1 FOR UPDATE`, user, string(method))
}

// FlowStateByCode returns the exchange that issued this code, and its user, locked;
// auth.ErrFlowNotFound if there is none of both. It does not lock the exchange,
// because users are locked before their flows everywhere. Of concurrent requests,
// the one whose DeleteFlowState succeeds wins.
func (tx *Tx) FlowStateByCode(ctx context.Context, code string) (f auth.FlowState, u auth.User, err error) {
	digest := codeDigest(code)
	const byCode = `f.auth_code = $1 AND f.auth_code_issued_at IS NOT NULL`
	err = tx.q.Read(ctx, "read flow state", func(rows pgx.Rows) error {
		return notFound(scanOne(rows, flowStateTargets(&f)...), auth.ErrFlowNotFound)
	}, `SELECT `+flowStateColumns+` FROM auth.flow_state f WHERE `+byCode, digest)
	if err != nil {
		return f, u, err
	}
	u, err = tx.userOf(ctx, `(SELECT f.user_id FROM auth.flow_state f WHERE `+byCode+`)`, true, digest)
	if errors.Is(err, auth.ErrUserNotFound) {
		err = auth.ErrFlowNotFound
	}
	return f, u, err
}

// ProviderFlow returns a sign-in at a provider that has not come back yet;
// auth.ErrFlowNotFound.
func (tx *Tx) ProviderFlow(ctx context.Context, id uuid.UUID) (auth.FlowState, error) {
	return tx.flowState(ctx, `f.id = $1 AND `+waitsForProvider, id)
}

// TakeProviderFlow is ProviderFlow and deletes the row, so that a state is used
// once.
func (tx *Tx) TakeProviderFlow(ctx context.Context, id uuid.UUID) (auth.FlowState, error) {
	return tx.scanFlowState(ctx, `DELETE FROM auth.flow_state f WHERE f.id = $1 AND `+waitsForProvider+` RETURNING `+flowStateColumns, id)
}

// waitsForProvider is the condition of rows that await a callback.
const waitsForProvider = `f.authentication_method = 'oauth' AND f.auth_code_issued_at IS NULL`

const flowStateColumns = `f.id, f.user_id, coalesce(f.code_challenge, ''),
	coalesce(f.code_challenge_method::text, ''), f.provider_type, f.authentication_method, f.auth_code_issued_at, f.created_at,
	coalesce(f.referrer, ''), f.linking_target_id, coalesce(f.provider_access_token, '')`

func (tx *Tx) flowState(ctx context.Context, where string, args ...any) (auth.FlowState, error) {
	return tx.scanFlowState(ctx, `SELECT `+flowStateColumns+` FROM auth.flow_state f WHERE `+where, args...)
}

func (tx *Tx) scanFlowState(ctx context.Context, sql string, args ...any) (auth.FlowState, error) {
	var f auth.FlowState
	if err := tx.q.QueryRow(ctx, sql, args...).Scan(flowStateTargets(&f)...); err != nil {
		return f, notFound(fmt.Errorf("read flow state: %w", err), auth.ErrFlowNotFound)
	}
	return f, nil
}

func flowStateTargets(f *auth.FlowState) []any {
	return []any{
		&f.ID, &f.UserID, &f.CodeChallenge, &f.CodeChallengeMethod, &f.ProviderType,
		(*string)(&f.AuthenticationMethod),
		moment{&f.AuthCodeIssuedAt},
		momentOrEpoch{&f.CreatedAt},
		&f.RedirectTo, &f.LinkTo, &f.ProviderTokens,
	}
}

// IssueCode stores the digest of the authorization code of the exchange.
func (tx *Tx) IssueCode(ctx context.Context, id uuid.UUID, code string, now time.Time) error {
	tag, err := tx.q.Exec(ctx, `UPDATE auth.flow_state SET auth_code = $2, auth_code_issued_at = $3, updated_at = $3 WHERE id = $1`, id, codeDigest(code), now)
	if err != nil {
		return fmt.Errorf("issue code: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return auth.ErrFlowNotFound
	}
	return nil
}

// DeleteFlowState ends an exchange, so that its code is used once.
// auth.ErrFlowNotFound, at the latest instead of the commit, when another request was
// first.
func (tx *Tx) DeleteFlowState(ctx context.Context, id uuid.UUID) error {
	return tx.q.Read(ctx, "delete flow state", func(rows pgx.Rows) error {
		rows.Close()
		if rows.CommandTag().RowsAffected() != 1 {
			return auth.ErrFlowNotFound
		}
		return nil
	}, `DELETE FROM auth.flow_state WHERE id = $1`, id)
}

// EndLinks deletes the sign-ins at providers that would link an identity to a
// user.
func (tx *Tx) EndLinks(ctx context.Context, user uuid.UUID) error {
	return tx.q.Later(ctx, "end links", `DELETE FROM auth.flow_state WHERE user_id = $1 AND linking_target_id IS NOT NULL`, user)
}

// EndFlows deletes all one-time tokens and PKCE exchanges of a user, and sign-ins
// at providers that would link an identity to them, whoever began them. It keeps
// exchanges of the given methods.
func (tx *Tx) EndFlows(ctx context.Context, user uuid.UUID, keep ...auth.Method) error {
	if err := tx.DeleteTokens(ctx, user); err != nil {
		return err
	}
	kept := make([]string, len(keep))
	for i, method := range keep {
		kept[i] = string(method)
	}
	return tx.q.Later(ctx, "end flows", `DELETE FROM auth.flow_state WHERE user_id = $1 AND authentication_method <> ALL ($2::pg_catalog.text[])`, user, kept)
}
