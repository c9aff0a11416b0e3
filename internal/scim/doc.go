// Package scim is the protocol of SCIM 2.0 (RFC 7643 and 7644): schemas, filters,
// changes by PATCH, projection, queries and bulk requests, for users and groups. It
// takes what directories send in the dialects that they have, and answers as the
// specification says. It owns no storage and no HTTP.
//
// Names of attributes and schemas are matched without regard to case and are kept in
// their canonical spelling, so that the rest of the program need not care.
package scim
