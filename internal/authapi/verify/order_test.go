package verify_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/reevehq/reeve/internal/testkit/flowtest"
	"github.com/reevehq/reeve/tenants/tenantdb"
)

// TestExchangeDuringNewPassword: a transaction that ends a user's flows holds
// the user's lock, so it must not wait for a request that redeems one of them.
func TestExchangeDuringNewPassword(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	got := code(t, f.A, "p@example.com", challenge(), "s256")
	user := uuid.MustParse(flowtest.One[string](t, f.A, "SELECT id::text FROM auth.users"))
	answer := make(chan *flowtest.Response, 1)
	err := f.A.DB.Tx(t.Context(), func(tx *tenantdb.Tx) error {
		if _, err := tx.UserByID(t.Context(), user, true); err != nil {
			return err
		}
		go func() { answer <- exchange(t, f.A, got, verifier) }()
		// Not from pg_locks: a wait for a transaction has no database there,
		// and other tests wait on the same server.
		const waiting = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
		for f.A.Count(t, waiting) == 0 {
			if len(answer) > 0 {
				t.Error("the exchange did not wait for the user")
				break
			}
			time.Sleep(time.Millisecond)
		}
		return tx.EndFlows(t.Context(), user)
	})
	if err != nil {
		t.Errorf("the new password: %v", err)
	}
	(<-answer).WantError(404, "flow_state_not_found")
}

// TestEmailChangeOfAnotherAddress: a link that was mailed for one change does
// not count for another one that an admin began.
func TestEmailChangeOfAnotherAddress(t *testing.T) {
	t.Parallel()
	f := flowtest.New(t)
	_, _, newAddress := changing(t, f)
	made := f.A.Admin(t, "POST", "/admin/generate_link", m{
		"type": "email_change_current", "email": "old@example.com", "new_email": "b@example.com",
	}).Want(200)
	redeem(t, f.A, newAddress).WantError(403, "otp_expired")
	redeem(t, f.A, made.Get("hashed_token")).Want(200)
	if got := email(t, f); got != "old@example.com" {
		t.Errorf("the address is %s, which nobody has confirmed", got)
	}
}
