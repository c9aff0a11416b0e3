package connector_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/reevehq/reeve/internal/connector"
)

func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		connector.Client{ID: "id", Secret: "leak"},
		connector.Callback{Code: "leak", Verifier: "leak", Kept: "leak"},
		connector.IDToken{Raw: "leak", AccessToken: "leak"},
		connector.Login{AccessToken: "leak", RefreshToken: "leak"},
	} {
		var b strings.Builder
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "value", v)
		for _, shown := range []string{fmt.Sprint(v), fmt.Sprintf("%+v %#v", v, v), b.String()} {
			if strings.Contains(shown, "leak") {
				t.Errorf("%T: %s", v, shown)
			}
		}
	}
}
