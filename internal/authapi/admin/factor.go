package admin

import (
	"context"
	"errors"
	"net/url"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
	"github.com/reevehq/reeve/internal/authapi/audit"
	"github.com/reevehq/reeve/tenants"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// maxFactorName bounds the friendly name of a factor, in characters.
const maxFactorName = 255

// Factors lists the second factors of a user, the oldest first. auth.ErrUserNotFound.
func (s Service) Factors(ctx context.Context, sc *tenants.Scope, id uuid.UUID) ([]auth.Factor, error) {
	var u auth.User
	err := sc.DB.Do(ctx, func(tx *tenantdb.Tx) (err error) {
		u, err = tx.UserByID(ctx, id, false)
		return err
	})
	if u.Factors == nil {
		u.Factors = []auth.Factor{}
	}
	return u.Factors, err
}

// RenameFactor gives a factor another friendly name, unless that is empty, and returns
// it. auth.ErrUserNotFound, auth.ErrFactorNotFound, auth.ErrFactorName.
func (s Service) RenameFactor(ctx context.Context, sc *tenants.Scope, id, factor uuid.UUID, name string) (f auth.Factor, err error) {
	if utf8.RuneCountInString(name) > maxFactorName {
		return f, auth.ErrValidation.Saying("friendly_name: can have at most 255 characters")
	}
	err = s.change(ctx, sc, id, func(tx *tenantdb.Tx, u *auth.User) error {
		if name != "" {
			if err := tx.RenameFactor(ctx, u.ID, factor, name, s.Now()); err != nil {
				return err
			}
			if err := audit.AdminWith(ctx, tx, sc, u, auth.ActionFactorUpdated, audit.Traits{"factor_id": factor.String()}, s.Now()); err != nil {
				return err
			}
		}
		key, err := tx.FactorKey(ctx, u.ID, factor)
		f = key.Factor
		return err
	})
	return f, err
}

// factorOf is a request that names a factor of a user in its path.
type factorOf struct {
	byID
	factor uuid.UUID
}

// BindQuery implements web.QueryBinder.
func (r *factorOf) BindQuery(q url.Values, param func(string) string) error {
	if err := r.byID.BindQuery(q, param); err != nil {
		return err
	}
	id, ok := parseID(param("factor_id"))
	if !ok {
		return auth.ErrFactorNotFound
	}
	r.factor = id
	return nil
}

// factorUpdate is the body of a change; the reference takes type and number too, which
// nothing can change here.
type factorUpdate struct {
	factorOf
	Name string `json:"friendly_name"`
}

func (h Handler) factors(ctx context.Context, sc *tenants.Scope, req *byID) ([]auth.Factor, error) {
	return h.Service.Factors(ctx, sc, req.id)
}

func (h Handler) renameFactor(ctx context.Context, sc *tenants.Scope, req *factorUpdate) (*auth.Factor, error) {
	f, err := h.Service.RenameFactor(ctx, sc, req.id, req.factor, req.Name)
	return &f, err
}

// deleteFactor answers the factor as it was.
func (h Handler) deleteFactor(ctx context.Context, sc *tenants.Scope, req *factorOf) (*auth.Factor, error) {
	f, err := h.Service.RenameFactor(ctx, sc, req.id, req.factor, "")
	if err == nil {
		err = h.Service.DeleteFactor(ctx, sc, req.id, req.factor)
	}
	if errors.Is(err, ErrFactorNotFound) {
		err = auth.ErrFactorNotFound.Because(err) // it went in between
	}
	return &f, err
}

// deleteCodes answers the factor that the recovery codes were.
func (h Handler) deleteCodes(ctx context.Context, sc *tenants.Scope, req *byID) (*auth.Factor, error) {
	f, err := h.Service.DeleteRecoveryCodes(ctx, sc, req.id)
	return &f, err
}
