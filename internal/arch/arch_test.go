package arch

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestArchitecture(t *testing.T) {
	t.Parallel()
	files, err := read(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("read %d files: not the whole module", len(files))
	}
	for _, violation := range check(files) {
		t.Error(violation)
	}
}

// TestCheck tests each rule on a module of one or two files.
func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, code string
		want       string // part of the only violation; none when empty
	}{
		"downward":             {"internal/web/x.go", `import _ "github.com/reevehq/reeve/tenants"`, ""},
		"upward":               {"tenants/x.go", `import _ "github.com/reevehq/reeve/internal/web"`, "tenants/x.go:2: tenants imports internal/web, which is not below it"},
		"upward, other system": {"tenants/x_windows.go", `import _ "github.com/reevehq/reeve/internal/web"`, "not below it"},
		"upward in a test":     {"tenants/x_test.go", `import _ "github.com/reevehq/reeve/internal/web"`, ""},
		"sideways":             {"internal/web/x.go", `import _ "github.com/reevehq/reeve/internal/provision"`, "not below it"},
		"words import tenants": {"internal/auth/x.go", `import _ "github.com/reevehq/reeve/tenants"`, "not below it"},
		"tenantdb to tenants":  {"tenants/tenantdb/x.go", `import _ "github.com/reevehq/reeve/tenants"`, "not below it"},
		"tenants to tenantdb":  {"tenants/x.go", `import _ "github.com/reevehq/reeve/tenants/tenantdb"`, ""},
		"own family":           {"internal/connector/google/x.go", `import _ "github.com/reevehq/reeve/internal/connector"`, ""},
		"program to anything":  {"cmd/reeve/x.go", `import _ "github.com/reevehq/reeve/internal/server"`, ""},
		"package of no layer":  {"internal/queue/x.go", ``, "internal/queue: has no layer"},

		"flow to flow":         {"internal/authapi/signup/x.go", `import _ "github.com/reevehq/reeve/internal/authapi/grant"`, "imports its sibling grant"},
		"flow to shared step":  {"internal/authapi/signup/x.go", `import _ "github.com/reevehq/reeve/internal/authapi/mail"`, ""},
		"shared step to flow":  {"internal/authapi/mail/x.go", `import _ "github.com/reevehq/reeve/internal/authapi/signup"`, "imports its sibling signup"},
		"shared to shared":     {"internal/authapi/users/x.go", `import _ "github.com/reevehq/reeve/internal/authapi/session"`, ""},
		"below a flow":         {"internal/authapi/saml/x.go", `import _ "github.com/reevehq/reeve/internal/authapi/saml/metadata"`, ""},
		"resource to resource": {"internal/control/project/x.go", `import _ "github.com/reevehq/reeve/internal/control/org"`, "imports its sibling org"},
		"resource to flow":     {"internal/control/project/x.go", `import _ "github.com/reevehq/reeve/internal/authapi/mail"`, "not below it"},

		"gin in web":             {"internal/web/x.go", "import \"github.com/gin-gonic/gin\"\nvar _ = gin.New()", ""},
		"gin below web":          {"tenants/x.go", `import _ "github.com/gin-gonic/gin"`, "belongs to internal/web"},
		"gin in a test below":    {"tenants/x_test.go", `import _ "github.com/gin-gonic/gin"`, "belongs to internal/web"},
		"router in a flow":       {"internal/authapi/mfa/x.go", "import \"github.com/gin-gonic/gin\"\nfunc Mount(gin.IRouter) {}", "gin.IRouter: gin ends in internal/web"},
		"context in a flow":      {"internal/authapi/mfa/x.go", "import \"github.com/gin-gonic/gin\"\nfunc f(*gin.Context) {}", "gin.Context: gin ends in internal/web"},
		"context, renamed":       {"internal/control/org/x.go", "import g \"github.com/gin-gonic/gin\"\nfunc f(*g.Context) {}", "gin.Context: gin ends in internal/web"},
		"huma in a resource":     {"internal/control/org/x.go", `import _ "github.com/danielgtaylor/huma/v2"`, "belongs to internal/web/control"},
		"huma in web":            {"internal/web/x.go", `import _ "github.com/danielgtaylor/huma/v2"`, "belongs to internal/web/control"},
		"web in its control":     {"internal/web/control/x.go", `import _ "github.com/reevehq/reeve/internal/web"`, ""},
		"control in web":         {"internal/web/x.go", `import _ "github.com/reevehq/reeve/internal/web/control"`, "not below it"},
		"gorm in web":            {"internal/web/x.go", `import _ "gorm.io/gorm"`, "belongs to internal/controldb"},
		"gorm driver in tenants": {"tenants/tenantdb/x.go", `import _ "gorm.io/driver/postgres"`, "belongs to internal/controldb"},
		"river in a sweep":       {"internal/authapi/tidy/x.go", `import _ "github.com/riverqueue/river"`, "belongs to internal/job"},
		"stripe":                 {"internal/control/usage/x.go", `import _ "github.com/stripe/stripe-go/v76"`, "belongs to internal/control/billing"},
		"casbin":                 {"internal/control/org/x.go", `import _ "github.com/casbin/casbin/v2"`, "belongs to internal/authz"},
		"saml":                   {"internal/authapi/external/x.go", `import _ "github.com/crewjam/saml"`, "belongs to internal/saml"},
		"oidc in a flow":         {"internal/authapi/external/x.go", `import _ "github.com/coreos/go-oidc/v3/oidc"`, "belongs to internal/connector"},
		"oidc in a connector":    {"internal/connector/oidc/x.go", `import _ "github.com/coreos/go-oidc/v3/oidc"`, ""},

		"default client":     {"internal/web/x.go", "import \"net/http\"\nvar _ = http.DefaultClient", "http.DefaultClient reaches the network"},
		"get, renamed":       {"internal/web/x.go", "import web \"net/http\"\nvar _, _ = web.Get(`/`)", "http.Get reaches the network"},
		"client made":        {"internal/web/x.go", "import \"net/http\"\nvar _ = &http.Client{}", "http.Client{} reaches the network"},
		"client taken":       {"internal/web/x.go", "import \"net/http\"\nfunc f(*http.Client) {}", ""},
		"client in outbound": {"internal/outbound/x.go", "import \"net/http\"\nvar _ = &http.Client{}", ""},
		"client in a test":   {"internal/web/x_test.go", "import \"net/http\"\nvar _ = &http.Client{}", ""},

		"testkit in the product": {"internal/web/x.go", `import _ "github.com/reevehq/reeve/internal/testkit"`, "which is for tests"},
		"fixture in the product": {"tenants/x.go", `import _ "github.com/reevehq/reeve/tenants/tenantdb/tenantdbtest"`, "which is for tests"},
		"testkit in a test":      {"internal/web/x_test.go", `import _ "github.com/reevehq/reeve/internal/testkit"`, ""},
		"testkit in a fixture":   {"tenants/tenantdb/tenantdbtest/x.go", `import _ "github.com/reevehq/reeve/internal/testkit"`, ""},
		"vague name":             {"internal/web/utils/x.go", ``, "does not say what it owns"},
		"left out":               {"internal/web/testdata/x.go", `import _ "gorm.io/gorm"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files, err := read(fstest.MapFS{c.file: {Data: []byte("package x\n" + c.code + "\n")}})
			if err != nil {
				t.Fatal(err)
			}
			found := check(files)
			if c.want == "" && len(found) > 0 {
				t.Errorf("refused: %q", found)
			}
			if c.want != "" && (len(found) != 1 || !strings.Contains(found[0], c.want)) {
				t.Errorf("found %q, want one with %q", found, c.want)
			}
		})
	}
}

// TestOtherModulesAreLeftOut: a folder with a go.mod is another module.
func TestOtherModulesAreLeftOut(t *testing.T) {
	t.Parallel()
	files, err := read(fstest.MapFS{
		"clients/go/go.mod":           {Data: []byte("module clients")},
		"clients/go/x.go":             {Data: []byte("package x")},
		"clients/node_modules/y/y.go": {Data: []byte("package y")},
		"cmd/reeve/main.go":           {Data: []byte("package main")},
	})
	if err != nil || len(files) != 1 || files[0].dir != "cmd/reeve" {
		t.Errorf("read %+v, %v", files, err)
	}
}
