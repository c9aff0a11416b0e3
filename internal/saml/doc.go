// Package saml is the protocol of a SAML 2.0 service provider: requests to identity
// providers, their responses and assertions, metadata and single logout, without
// storage and HTTP (https://docs.oasis-open.org/security/saml/v2.0/).
//
// Messages are hostile until their signature is verified. So a message is read in
// three steps: its XML is bounded and held to what has one meaning for every parser
// (parse), its structure leaves one place for a signature and one for what is signed
// (checkSignature, Response.form), and all that is used is read from the bytes over
// which the signature was computed, never from those that arrived.
//
// The types of crewjam/saml write our requests and metadata and read those of
// identity providers. Responses are verified here: there the clock is global, absent
// elements panic, and comments, SHA-1 and repeated identifiers are accepted.
package saml
