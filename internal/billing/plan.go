package billing

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
)

// Meter is what a plan includes an amount of, and may sell more of.
type Meter string

// The meters.
const (
	MAU    Meter = "mau"     // users active in the period, without those of SSO
	SSOMAU Meter = "sso_mau" // users active in the period by a company's connection
	Mails  Meter = "mails"   // mails sent
	Texts  Meter = "texts"   // text messages sent
)

// Meters are all meters, in the order of a bill.
func Meters() []Meter { return []Meter{MAU, SSOMAU, Mails, Texts} }

// Meter returns what a user of this kind counts as; "" for nothing.
func (k Kind) Meter() Meter {
	switch k {
	case FirstParty, ThirdParty, Anonymous:
		return MAU
	case SSO:
		return SSOMAU
	}
	return ""
}

// Unlimited is the id of the plan of an installation that bills nobody.
const Unlimited = "unlimited"

// Plan is what an organization pays, and what it gets for that.
type Plan struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Base Money  `json:"base"` // for a period
	// FirstDayFree counts a user only once they come back a day after their first
	// sign-in or later.
	FirstDayFree bool `json:"first_day_free,omitempty"`
	// Meters has what is limited or sold; of any other meter there is as much as wanted,
	// for nothing.
	Meters map[Meter]Quota `json:"meters,omitempty"`
	Limits Limits          `json:"limits"`
	// Hidden plans are not offered: those that are agreed upon, and old ones.
	Hidden bool `json:"hidden,omitempty"`
}

// Quota is how much of a meter is included, and what more costs.
type Quota struct {
	Included int64 `json:"included"`
	// Price is that of one more; nil where no more is sold.
	Price *Money `json:"price,omitempty"`
}

// Limits are what a plan allows at a time; 0 for no limit.
type Limits struct {
	Projects int `json:"projects,omitempty"`
	LogDays  int `json:"log_days,omitempty"`
}

// Plans are the plans of an installation, in the order in which they are offered.
type Plans []Plan

// Find returns a plan; false for an unknown id.
func (p Plans) Find(id string) (Plan, bool) {
	i := slices.IndexFunc(p, func(p Plan) bool { return p.ID == id })
	if i < 0 {
		return Plan{}, false
	}
	return p[i], true
}

//go:embed plans.json
var defaultPlans []byte

// DefaultPlans are the plans of an installation that defines none of its own.
func DefaultPlans() Plans {
	plans, err := ParsePlans(defaultPlans)
	if err != nil {
		panic(err) // it is part of the program
	}
	return plans
}

// NoLimits is the plan Unlimited, which is always there.
func NoLimits() Plan { return unlimited }

var unlimited = Plan{ID: Unlimited, Name: "Unlimited", Hidden: true}

var planID = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// ParsePlans reads plans from JSON, a list, and checks them. The plan Unlimited is added.
func ParsePlans(data []byte) (Plans, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var plans Plans
	if err := decoder.Decode(&plans); err != nil {
		return nil, fmt.Errorf("read plans: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read plans: there is more after the list")
	}
	seen := map[string]bool{Unlimited: true}
	for _, p := range plans {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("plan %q: %w", p.ID, err)
		}
		if seen[p.ID] {
			return nil, fmt.Errorf("plan %q is there twice, or is the name of a plan of every installation", p.ID)
		}
		seen[p.ID] = true
	}
	return append(plans, unlimited), nil
}

// maxQuantity and maxPrice keep the amount of a bill far from overflow.
const (
	maxQuantity       = 1_000_000_000_000
	maxPrice    Money = 1_000_000 * Dollar
)

func (p *Plan) check() error {
	switch {
	case !planID.MatchString(p.ID):
		return errors.New("an id has up to 40 lower-case letters, digits, dashes and underscores")
	case p.Name == "" || len(p.Name) > 100:
		return errors.New("a name has 1 to 100 bytes")
	case p.Base < 0 || p.Base > maxPrice || p.Base%Cent != 0:
		return errors.New("the base price is in whole cents, and not negative")
	case p.Limits.Projects < 0 || p.Limits.LogDays < 0:
		return errors.New("a limit is not negative")
	}
	for meter, q := range p.Meters {
		if !slices.Contains(Meters(), meter) {
			return fmt.Errorf("unknown meter %q", meter)
		}
		if q.Included < 0 || q.Included > maxQuantity || q.Price != nil && (*q.Price < 0 || *q.Price > maxPrice) {
			return fmt.Errorf("meter %q: an amount is negative or too large", meter)
		}
	}
	return nil
}
