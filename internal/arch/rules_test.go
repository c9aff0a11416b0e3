package arch

// module is the prefix of the module's own imports.
const module = "github.com/reevehq/reeve/"

// layers is the order of the packages, top first: a package may only import
// packages of lower layers. An entry covers the package and the packages below
// it in the tree; the longest matching entry applies. A new package needs an
// entry: choose the lowest layer that its imports allow.
var layers = [][]string{
	{"cmd", "internal/bench"},
	{"internal/doctor"},    // what `reeve doctor` does; it reads what dev writes
	{"internal/dev"},       // what `reeve dev` does
	{"internal/front"},     // the pages of `reeve dev`
	{"internal/manage"},    // client of the Management API, for those above
	{"internal/server"},    // the only place that wires
	{"internal/config"},    // process configuration: read by server, passed down as values
	{"internal/tenantapi"}, // mounts the flows
	{"internal/dashboard"}, // sessions of browsers on the main host
	{"internal/authapi", "internal/control", "internal/storage"},
	{"internal/web/control"}, // the web side of the Management API
	{"internal/web", "internal/provision"},
	{"internal/hook"},  // calls of projects' hooks, by flows and by the Management API
	{"internal/authz"}, // roles and permissions of the control plane, read from controldb
	{"internal/controldb", "internal/token", "internal/job"},
	// Packages that work for one tenant and know it by its scope or ref. Below
	// controldb, which stores the captured mails.
	// authapi/redirect is also what the Management API shows how redirects are decided by.
	{"internal/authapi/redirect", "internal/message", "internal/password", "internal/ratelimit", "internal/captcha", "internal/leaked", "internal/relyingparty", "internal/saml", "tenants/pool", "internal/guard"},
	{"internal/smsgateway"}, // clients of SMS gateways, below the consumer of their messages
	{"internal/outbox"},
	{"tenants"},
	{"tenants/tenantdb", "internal/connector", "internal/sqlrun", "internal/typegen"},
	{"internal/usage", "internal/keyusage"},     // counters that any package of one tenant may add to
	{"internal/keyset", "internal/keyrotation"}, // tags of key sets, and when keys move
	{"internal/batch"},      // the writing of counters
	{"internal/projectlog"}, // entries that any package of one tenant may add
	{"internal/auth"},       // the words
	{"internal/billing"},    // periods, plans and amounts
	{"internal/setting"},    // the settings of a project, declared once
	{"internal/e164"},       // numbering plans of telephone numbers
	{"internal/secret", "internal/outbound", "internal/devpg", "migrations", "dashboard"},
	{"internal/device", "internal/geo"}, // what a session's client is, and where
	{"internal/scim"},                   // the protocol of directories; what it reads is evaluated by tenants/tenantdb
	{"internal/fault", "internal/emaildomain", "internal/snippet", "internal/page"},
	{"internal/arch"}, // imports nothing of ours
}

// family is a folder whose packages do not import each other: flows of the
// tenant plane, resources of the control plane.
type family struct {
	dir string
	// shared are the steps that all may import; they only import each other.
	shared []string
	// also lists single allowed imports.
	also map[string]string
}

var families = []family{
	{
		dir:    "internal/authapi",
		shared: []string{"audit", "connection", "contact", "idp", "mail", "pkce", "redirect", "session", "sms", "strength", "users"},
		also:   map[string]string{"setuplink": "sso"}, // a link does what the routes of connections do
	},
	{dir: "internal/control", shared: []string{"text"}},
}

// owner lists the packages that may import a library, tests included.
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
	{"github.com/crewjam/saml", []string{"internal/saml"}},
	{"github.com/russellhaering/goxmldsig", []string{"internal/saml"}},
	{"github.com/beevik/etree", []string{"internal/saml"}},
	{"github.com/go-webauthn/webauthn", []string{"internal/relyingparty"}},
	{"github.com/coreos/go-oidc", []string{"internal/connector"}},
	{"github.com/tink-crypto", []string{"internal/secret"}},
	{"github.com/wneessen/go-mail", []string{"internal/message"}},
	{"github.com/mileusna/useragent", []string{"internal/device"}},
	{"github.com/oschwald/maxminddb-golang", []string{"internal/geo"}},
	{"github.com/nyaruka/phonenumbers", []string{"internal/e164"}},
	{"github.com/alecthomas/kong", []string{"cmd", "internal/bench"}},
}

// httpClients are net/http's names that reach the network without the address
// checks of internal/outbound. The type *http.Client is not among them, because
// outbound returns one.
var httpClients = []string{"Client{}", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm", "Transport{}"}

// mayDial may use them: outbound itself, and programs that call the one server
// that their user names.
var mayDial = []string{"internal/outbound", "internal/manage", "internal/dev", "internal/bench", "cmd"}

// mayUseTestSupport may import testkit and the like outside of _test.go files.
var mayUseTestSupport = []string{"internal/bench"}

// vagueNames say nothing about what a package owns.
var vagueNames = []string{
	"base", "common", "core", "dto", "dtos", "helper", "helpers", "lib", "misc", "model", "models",
	"repositories", "repository", "shared", "usecase", "usecases", "util", "utils",
}
