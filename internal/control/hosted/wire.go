package hosted

// Entitlements are the features of an organization.
type Entitlements struct {
	Entitlements []Entitlement `json:"entitlements"`
}

// Entitlement says whether an organization has a feature.
type Entitlement struct {
	Feature   Feature           `json:"feature"`
	HasAccess bool              `json:"hasAccess"`
	Type      string            `json:"type" enum:"boolean"`
	Config    EntitlementConfig `json:"config"`
}

// Feature names a feature.
type Feature struct {
	Key  string `json:"key"`
	Type string `json:"type" enum:"boolean"`
}

// EntitlementConfig repeats HasAccess.
type EntitlementConfig struct {
	Enabled bool `json:"enabled"`
}

// PostgREST is the configuration of PostgREST. An empty DBSchema means that no
// schema is served.
type PostgREST struct {
	DBSchema          string `json:"db_schema"`
	MaxRows           int    `json:"max_rows"`
	DBExtraSearchPath string `json:"db_extra_search_path"`
	DBPool            *int   `json:"db_pool" doc:"Always null."`
}

// Storage is the configuration of Storage, with every feature off.
type Storage struct {
	FileSizeLimit    int64               `json:"fileSizeLimit"`
	Features         StorageFeatures     `json:"features"`
	Capabilities     StorageCapabilities `json:"capabilities"`
	External         StorageExternal     `json:"external"`
	MigrationVersion string              `json:"migrationVersion"`
	DatabasePoolMode string              `json:"databasePoolMode"`
}

// StorageFeatures are the features of Storage.
type StorageFeatures struct {
	ImageTransformation Switch         `json:"imageTransformation"`
	S3Protocol          Switch         `json:"s3Protocol"`
	IcebergCatalog      IcebergCatalog `json:"icebergCatalog"`
	VectorBuckets       VectorBuckets  `json:"vectorBuckets"`
}

// Switch is a feature that is on or off.
type Switch struct {
	Enabled bool `json:"enabled"`
}

// IcebergCatalog is a feature of Storage with limits.
type IcebergCatalog struct {
	Enabled       bool `json:"enabled"`
	MaxNamespaces int  `json:"maxNamespaces"`
	MaxTables     int  `json:"maxTables"`
	MaxCatalogs   int  `json:"maxCatalogs"`
}

// VectorBuckets is a feature of Storage with limits.
type VectorBuckets struct {
	Enabled    bool `json:"enabled"`
	MaxBuckets int  `json:"maxBuckets"`
	MaxIndexes int  `json:"maxIndexes"`
}

// StorageCapabilities say what Storage's version can do.
type StorageCapabilities struct {
	ListV2         bool `json:"list_v2"`
	IcebergCatalog bool `json:"iceberg_catalog"`
}

// StorageExternal names the release channel of Storage.
type StorageExternal struct {
	UpstreamTarget string `json:"upstreamTarget" enum:"main"`
}

// SSLEnforcement says whether clients of the database must use TLS.
type SSLEnforcement struct {
	Current SSLServices `json:"currentConfig"`
	Applied bool        `json:"appliedSuccessfully"`
}

// SSLServices are the services of which TLS is demanded.
type SSLServices struct {
	Database bool `json:"database"`
}

// NetworkRestrictions are the networks that may connect to the database.
type NetworkRestrictions struct {
	Entitlement string   `json:"entitlement" enum:"disallowed" doc:"Whether a project may restrict them."`
	Config      Networks `json:"config"`
	Status      string   `json:"status" enum:"applied"`
}

// Networks are blocks of addresses.
type Networks struct {
	IPv4 []string `json:"dbAllowedCidrs"`
	IPv6 []string `json:"dbAllowedCidrsV6"`
}

// PostgresConfig has no members: a project overrides no setting.
type PostgresConfig struct{}

// Function is an Edge Function.
type Function struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// FunctionSecret is a secret of Edge Functions.
type FunctionSecret struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Bucket is a bucket of Storage.
type Bucket struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// LogRows are the rows of a query of logs.
type LogRows struct {
	Result []map[string]any `json:"result"`
}
