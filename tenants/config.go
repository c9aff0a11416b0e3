package tenants

import "github.com/reevehq/reeve/internal/setting"

// Config is the settings of a project that have an effect, as package setting
// declares them. It holds no secrets; see Secrets.
type Config = setting.Config

// DefaultConfig returns the settings of a new project.
func DefaultConfig() Config { return setting.Default() }
