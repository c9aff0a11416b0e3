package arch

// module is the path that own imports begin with.
const module = "github.com/reevehq/reeve/"

// layers is the order of the packages, top first: a package may import those of
// lower layers only. An entry stands for the package and what lies below it in
// the tree; the longest entry that matches counts. A new package needs a place
// here: choose the lowest layer that its imports allow.
var layers = [][]string{
	{"cmd", "internal/bench"},
	{"internal/doctor"},    // what `reeve doctor` does; it reads what dev writes
	{"internal/dev"},       // what `reeve dev` does
	{"internal/manage"},    // client of the Management API, for the two above
	{"internal/server"},    // the only place that wires
	{"internal/config"},    // process configuration: read by server, passed down as values
	{"internal/tenantapi"}, // mounts the flows
	{"internal/authapi", "internal/control", "internal/storage"},
	{"internal/web/control"}, // the web side of the Management API
	{"internal/web", "internal/provision"},
	{"internal/authz"}, // roles and permissions of the control plane, read from controldb
	{"internal/controldb", "internal/token", "internal/job"},
	// What works for one tenant and knows it by its scope or ref. Below controldb,
	// which keeps the captured mails.
	{"internal/message", "internal/password", "internal/ratelimit", "tenants/pool", "internal/guard"},
	{"internal/outbox"},
	{"tenants"},
	{"tenants/tenantdb", "internal/connector"},
	{"internal/auth"},    // the words
	{"internal/setting"}, // the settings of a project, declared once
	{"internal/secret", "internal/outbound", "internal/devpg", "migrations", "dashboard"},
	{"internal/fault"},
	{"internal/arch"}, // imports nothing of ours
}

// family is a folder whose packages do not import each other: flows of the
// tenant plane, resources of the control plane.
type family struct {
	dir string
	// shared are the steps that all may import; they import each other only.
	shared []string
	// also lists single imports that are wanted.
	also map[string]string
}

var families = []family{
	{
		dir:    "internal/authapi",
		shared: []string{"audit", "mail", "pkce", "redirect", "session", "users"},
	},
	{dir: "internal/control", shared: []string{"text"}},
}

// owner says which packages may import a library, in tests as elsewhere.
type owner struct {
	library string // and what lies below it
	in      []string
}

var owners = []owner{
	// Flows and resources may use gin in tests only, see checkUses.
	{"github.com/gin-gonic/gin", []string{"internal/web", "internal/server", "internal/tenantapi", "internal/authapi", "internal/control", "internal/storage"}},
	{"github.com/danielgtaylor/huma", []string{"internal/web/control"}},
	{"gorm.io", []string{"internal/controldb"}},
	{"github.com/riverqueue", []string{"internal/job"}},
	{"github.com/stripe", []string{"internal/control/billing"}},
	{"github.com/casbin", []string{"internal/authz"}},
	{"github.com/crewjam/saml", []string{"internal/authapi/saml"}},
	{"github.com/coreos/go-oidc", []string{"internal/connector"}},
	{"github.com/tink-crypto", []string{"internal/secret"}},
	{"github.com/wneessen/go-mail", []string{"internal/message"}},
	{"github.com/alecthomas/kong", []string{"cmd", "internal/bench"}},
}

// httpClients are net/http's names that reach the network without the address
// checks of internal/outbound. The type *http.Client is not among them: outbound's
// client arrives as one.
var httpClients = []string{"Client{}", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm", "Transport{}"}

// mayDial use them all the same: outbound itself, and programs that talk to the
// one server that their user names.
var mayDial = []string{"internal/outbound", "internal/manage", "internal/dev", "internal/bench", "cmd"}

// mayUseTestSupport import testkit and its like outside of _test.go files.
var mayUseTestSupport = []string{"internal/bench"}

// vagueNames say nothing of what a package owns.
var vagueNames = []string{
	"base", "common", "core", "dto", "dtos", "helper", "helpers", "lib", "misc", "model", "models",
	"repositories", "repository", "shared", "usecase", "usecases", "util", "utils",
}
