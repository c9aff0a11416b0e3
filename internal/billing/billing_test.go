package billing_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/reevehq/reeve/internal/billing"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		anchor     billing.Anchor
		at         string
		start, end string
	}{
		{1, "2027-01-31T23:59:59.999999Z", "2027-01-01", "2027-02-01"},
		{1, "2027-02-01T00:00:00Z", "2027-02-01", "2027-03-01"},
		{31, "2027-02-15T12:00:00Z", "2027-01-31", "2027-02-28"},
		{31, "2027-02-28T00:00:00Z", "2027-02-28", "2027-03-31"},
		{31, "2027-03-30T23:59:59Z", "2027-02-28", "2027-03-31"},
		{30, "2028-02-28T12:00:00Z", "2028-01-30", "2028-02-29"},
		{30, "2028-02-29T12:00:00Z", "2028-02-29", "2028-03-30"},
		{29, "2027-02-28T12:00:00Z", "2027-02-28", "2027-03-29"},
		{29, "2028-02-28T12:00:00Z", "2028-01-29", "2028-02-29"},
		{15, "2027-01-01T00:00:00Z", "2026-12-15", "2027-01-15"},
		{15, "2027-12-31T00:00:00Z", "2027-12-15", "2028-01-15"},
		{15, "2027-06-15T01:00:00+02:00", "2027-05-15", "2027-06-15"}, // still the 14th in UTC
	} {
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		p := c.anchor.At(at)
		if !p.Start.Equal(day(c.start)) || !p.End.Equal(day(c.end)) {
			t.Errorf("anchor %d at %s: %s to %s, want %s to %s", c.anchor, c.at, p.Start, p.End, c.start, c.end)
		}
	}
}

// The periods of an anchor follow each other without gap or overlap, have 28 to 31 days,
// and each moment is in the one that At returns.
func TestPeriodsFollowEachOther(t *testing.T) {
	t.Parallel()
	for anchor := billing.Anchor(1); anchor <= 31; anchor++ {
		p := anchor.At(day("2023-12-31"))
		for p.Start.Year() < 2029 { // two leap years
			if n := p.Days(); n < 28 || n > 31 {
				t.Fatalf("anchor %d: %d days from %s", anchor, n, p.Start)
			}
			for _, at := range []time.Time{p.Start, p.Start.Add(time.Nanosecond), p.End.Add(-time.Nanosecond), p.Start.AddDate(0, 0, 14)} {
				if got := anchor.At(at); got != p || !got.Contains(at) {
					t.Fatalf("anchor %d: %s is in %v, want %v", anchor, at, got, p)
				}
			}
			if again, ok := anchor.Starting(p.Start); !ok || again != p {
				t.Fatalf("anchor %d: no period starts on %s", anchor, p.Start)
			}
			if _, ok := anchor.Starting(p.Start.AddDate(0, 0, 1)); ok {
				t.Fatalf("anchor %d: a period starts on the day after %s", anchor, p.Start)
			}
			next := anchor.At(p.End)
			if !next.Start.Equal(p.End) {
				t.Fatalf("anchor %d: %v is followed by %v", anchor, p, next)
			}
			p = next
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]billing.Money{
		"0": 0, "25": 25 * billing.Dollar, "0.00325": 3250, "-1.5": -1_500_000, "0.000001": 1, "999999999999.999999": 999_999_999_999_999_999,
	} {
		got, err := billing.ParseMoney(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: %d (%s), %v", text, got, got, err)
		}
	}
	for _, text := range []string{"", "-", ".5", "1.", "1e3", "+1", "1.0000001", "1 ", "0x1", "1.-5", "--1", "1234567890123", "١"} {
		if got, err := billing.ParseMoney(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
	for m, want := range map[billing.Money]int64{0: 0, 4_999: 0, 5_000: 1, 14_999: 1, 15_000: 2, -4_999: 0, -5_000: -1} {
		if got := m.Cents(); got != want {
			t.Errorf("%d is %d cents, want %d", m, got, want)
		}
	}
	if got := billing.Money(math.MaxInt64).Times(-3); got != -math.MaxInt64 {
		t.Errorf("%d, want the least", got)
	}
	var m billing.Money
	if err := json.Unmarshal([]byte(`0.5`), &m); err == nil {
		t.Error("a JSON number is accepted")
	}
}

func TestDefaultPlans(t *testing.T) {
	t.Parallel()
	plans := billing.DefaultPlans()
	pro, _ := plans.Find("pro")
	for users, want := range map[int64]int64{0: 2500, 100_000: 2500, 100_001: 2500, 100_002: 2501, 200_000: 2500 + 32_500, 1_000_000: 2500 + 292_500} {
		if got := pro.Bill(billing.Quantities{billing.MAU: users}); got.Total != want {
			t.Errorf("%d users are %d cents, want %d", users, got.Total, want)
		}
	}
	free, _ := plans.Find("free")
	b := free.Bill(billing.Quantities{billing.MAU: 50_001})
	if b.Total != 0 || b.Lines[0].Over != 1 || b.Lines[0].Share() != 100 {
		t.Errorf("%+v", b)
	}
	all, ok := plans.Find(billing.Unlimited)
	if b := all.Bill(billing.Quantities{billing.MAU: 1 << 40}); !ok || b.Total != 0 || b.Lines[0].Over != 0 || b.Lines[0].Share() != 0 {
		t.Errorf("%+v", b)
	}
}

// The amount of a line is that of exact arithmetic, rounded once.
func TestBillIsExact(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		price := billing.Money(r.Int64N(int64(billing.Dollar)))
		q := billing.Quota{Included: r.Int64N(1000), Price: &price}
		plan := billing.Plan{Meters: map[billing.Meter]billing.Quota{billing.MAU: q}}
		used := r.Int64N(1_000_000)
		got := plan.Bill(billing.Quantities{billing.MAU: used}).Total
		exact := new(big.Rat).SetFrac64(max(used-q.Included, 0)*int64(price), int64(billing.Cent))
		half := new(big.Rat).Add(exact, big.NewRat(1, 2))
		want := new(big.Int).Quo(half.Num(), half.Denom()).Int64()
		if got != want {
			t.Fatalf("%d of %+v: %d cents, want %d", used, q, got, want)
		}
	}
}

func TestParsePlansRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, `{}`, `[] []`, `[{"id":"A","name":"A"}]`, `[{"id":"a","name":""}]`, `[{"id":"a","name":"A","base":"-1"}]`, `[{"id":"a","name":"A","base":"0.001"}]`,
		`[{"id":"a","name":"A","base":25}]`, `[{"id":"a","name":"A","meters":{"seats":{"included":1}}}]`, `[{"id":"a","name":"A","meters":{"mau":{"included":-1}}}]`,
		`[{"id":"a","name":"A","meters":{"mau":{"included":1,"price":"-1"}}}]`, `[{"id":"a","name":"A"},{"id":"a","name":"B"}]`, `[{"id":"unlimited","name":"U"}]`,
		`[{"id":"a","name":"A","more":1}]`, `[{"id":"a","name":"A","limits":{"projects":-1}}]`,
	} {
		if plans, err := billing.ParsePlans([]byte(text)); err == nil {
			t.Errorf("%s is %+v", text, plans)
		}
	}
}
