package advisor

// Lints is the answer of an advisor.
type Lints struct {
	Lints []Lint `json:"lints"`
}

// Lint is one finding.
type Lint struct {
	Name        string   `json:"name"`
	Title       string   `json:"title"`
	Level       string   `json:"level" enum:"ERROR,WARN,INFO"`
	Facing      string   `json:"facing" enum:"EXTERNAL"`
	Categories  []string `json:"categories"`
	Description string   `json:"description"`
	Detail      string   `json:"detail"`
	Remediation string   `json:"remediation"`
	Fix         *string  `json:"fix" doc:"The statement that mends it, for database/query; null where no single one does. Read it first: it may keep users out."`
	Metadata    Metadata `json:"metadata"`
	CacheKey    string   `json:"cache_key" doc:"Names the finding: equal in every answer that has it."`
}

// Metadata names the object of a finding.
type Metadata struct {
	Schema      string  `json:"schema,omitempty"`
	Name        string  `json:"name,omitempty"`
	Entity      string  `json:"entity,omitempty"`
	Type        string  `json:"type,omitempty" enum:"table,view,auth"`
	FKeyName    string  `json:"fkey_name,omitempty"`
	FKeyColumns []int16 `json:"fkey_columns,omitempty"`
}

// The categories.
const (
	security    = "SECURITY"
	performance = "PERFORMANCE"
)

// The levels.
const (
	levelError   = "ERROR"
	levelWarning = "WARN"
	levelInfo    = "INFO"
)
