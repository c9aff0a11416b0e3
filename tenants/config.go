package tenants

import "github.com/reevehq/reeve/internal/setting"

// Config is a project's auth settings that have an effect, as the package
// setting declares them. Secrets are not in it; see Secrets.
type Config = setting.Config

// DefaultConfig is what a new project starts with.
func DefaultConfig() Config { return setting.Default() }
