package dashboard

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/auth"
)

// ProvePath is the address at which a session proves a second factor.
const ProvePath = Path + "/factor"

// Proof is the body: a code of an authenticator app of the person.
type Proof struct {
	FactorID string `json:"factor_id"`
	Code     string `json:"code"`
}

var errProof = errForm.Saying(`The body must be {"factor_id":"...","code":"..."}`)

// Prove raises the browser's session to aal2 by a code of an authenticator app, and
// sets its new cookies. The first code verifies the app, and the person's sessions
// without a second factor end. It is for POST. The errors of factor.Service.Verify.
func (h Handler) Prove(w http.ResponseWriter, r *http.Request) error {
	sc, err := h.scope(r)
	if err != nil {
		return err
	}
	access := h.Cookies.Access(r)
	if access == "" {
		return ErrNoSession
	}
	var proof Proof
	if err := decode(w, r, &proof, errProof); err != nil {
		return err
	}
	ctx := r.Context()
	if err := h.Service.limit(ctx, sc); err != nil {
		return err
	}
	who, err := h.Service.Who(ctx, sc, access)
	if err != nil {
		return refused(err)
	}
	id, err := uuid.Parse(proof.FactorID)
	if err != nil {
		return auth.ErrFactorNotFound
	}
	challenge, err := h.Factors.Challenge(ctx, sc, &who, id, "")
	if err != nil {
		return err
	}
	raised, err := h.Factors.Verify(ctx, sc, &who, id, challenge.ID, proof.Code)
	if err != nil {
		return err
	}
	t, err := h.Service.tokens(ctx, sc, raised)
	if err != nil {
		return err
	}
	return h.answer(w, t)
}
