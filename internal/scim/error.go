package scim

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/reevehq/reeve/internal/fault"
)

// The errors of RFC 7644, section 3.12, whose codes are the values of scimType.
var (
	ErrFilter     = fault.New(fault.Invalid, "invalidFilter", "The filter is not valid")
	ErrTooMany    = fault.New(fault.Invalid, "tooMany", "The filter matches too many resources, or would have to look at too many")
	ErrUniqueness = fault.New(fault.Conflict, "uniqueness", "Another resource has this value")
	ErrMutability = fault.New(fault.Invalid, "mutability", "The attribute cannot be changed or removed")
	ErrSyntax     = fault.New(fault.Invalid, "invalidSyntax", "The request is not well formed")
	ErrPath       = fault.New(fault.Invalid, "invalidPath", "The path is not valid")
	ErrNoTarget   = fault.New(fault.Invalid, "noTarget", "The path matches nothing that could be changed")
	ErrValue      = fault.New(fault.Invalid, "invalidValue", "A value is missing or not of the attribute's type")
	ErrTooLarge   = fault.New(fault.TooLarge, "tooLarge", "The request is too large")
)

// types are the values of scimType.
var types = []string{
	"invalidFilter", "tooMany", "uniqueness", "mutability", "invalidSyntax", "invalidPath", "noTarget", "invalidValue", "invalidVers", "sensitive",
}

// Error is the body of an error (RFC 7644, section 3.12).
type Error struct {
	Schemas []string `json:"schemas"`
	Type    string   `json:"scimType,omitempty"`
	Detail  string   `json:"detail"`
	Status  string   `json:"status"`
}

// NewError returns the body for a fault that is answered with status.
func NewError(status int, f *fault.Error) Error {
	e := Error{Schemas: []string{URNError}, Detail: f.Message, Status: strconv.Itoa(status)}
	switch {
	case slices.Contains(types, f.Code):
		e.Type = f.Code
	case f.Code == "bad_json":
		e.Type = ErrSyntax.Code
	case f.Code == "validation_failed" && status == 400:
		e.Type = ErrValue.Code
	}
	return e
}

func saying(f *fault.Error, format string, args ...any) error {
	return f.Saying(fmt.Sprintf(format, args...))
}
