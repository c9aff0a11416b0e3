package scim

// The answers of the addresses of discovery (RFC 7644, section 4). location is the
// address of the service.

type m = map[string]any

// ServiceProviderConfig describes what the service can do.
func ServiceProviderConfig(location string) any {
	return m{
		"schemas":        []string{URNConfig},
		"patch":          m{"supported": true},
		"bulk":           m{"supported": true, "maxOperations": MaxBulk, "maxPayloadSize": MaxBulkPayload},
		"filter":         m{"supported": true, "maxResults": MaxCount},
		"changePassword": m{"supported": false},
		"sort":           m{"supported": true},
		"etag":           m{"supported": true},
		"authenticationSchemes": []m{{
			"type": "oauthbearertoken", "name": "Bearer token", "primary": true,
			"description": "A token of the connection, in the header Authorization",
			"specUri":     "https://www.rfc-editor.org/info/rfc6750",
		}},
		"meta": m{"resourceType": "ServiceProviderConfig", "location": location + "/ServiceProviderConfig"},
	}
}

// Describe returns the description of a resource type.
func (t *ResourceType) Describe(location string) Resource {
	extensions := []any{}
	for _, s := range t.Extensions {
		extensions = append(extensions, m{"schema": s.ID, "required": false})
	}
	return Resource{
		"schemas": []any{URNType}, "id": t.Name, "name": t.Name, "endpoint": t.Endpoint, "description": t.Description,
		"schema": t.Core.ID, "schemaExtensions": extensions,
		"meta": m{"resourceType": "ResourceType", "location": location + "/ResourceTypes/" + t.Name},
	}
}

// Describe returns the definition of a schema.
func (s *Schema) Describe(location string) Resource {
	return Resource{
		"schemas": []any{URNSchema}, "id": s.ID, "name": s.Name, "description": s.Description, "attributes": s.Attributes,
		"meta": m{"resourceType": "Schema", "location": location + "/Schemas/" + s.ID},
	}
}
