package billing

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strings"
)

// Money is an amount in millionths of a US dollar: prices of a user are fractions of a
// cent, and sums must be exact.
type Money int64

// Units of money.
const (
	Cent   Money = 10_000
	Dollar Money = 100 * Cent
)

// Times is the price of n things. It saturates.
func (m Money) Times(n int64) Money {
	negative := (m < 0) != (n < 0)
	hi, lo := bits.Mul64(magnitude(int64(m)), magnitude(n))
	const most = 1<<63 - 1
	if hi > 0 || lo > most {
		lo = most
	}
	if negative {
		return -Money(lo)
	}
	return Money(lo)
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-(n + 1)) + 1
	}
	return uint64(n)
}

// Cents rounds to cents, half away from zero, as Stripe rounds the amount of a line.
func (m Money) Cents() int64 {
	if m < 0 {
		return -int64((-m + Cent/2) / Cent)
	}
	return int64((m + Cent/2) / Cent)
}

// String formats the amount in dollars without loss: "25", "0.00325".
func (m Money) String() string {
	sign, n := "", magnitude(int64(m))
	if m < 0 {
		sign = "-"
	}
	text := fmt.Sprintf("%s%d.%06d", sign, n/uint64(Dollar), n%uint64(Dollar))
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

var errMoney = errors.New("not an amount in dollars with at most six decimals")

// ParseMoney reads String's format.
func ParseMoney(s string) (Money, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, decimals, dot := strings.Cut(digits, ".")
	if whole == "" || len(whole) > 12 || len(decimals) > 6 || dot && decimals == "" {
		return 0, errMoney
	}
	n := int64(0)
	for _, c := range whole + (decimals + "000000")[:6] {
		if c < '0' || c > '9' {
			return 0, errMoney
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return Money(n), nil
}

// MarshalJSON writes String's format as a string: JSON numbers lose decimals in many
// clients.
func (m Money) MarshalJSON() ([]byte, error) { return json.Marshal(m.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Money) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return errMoney
	}
	parsed, err := ParseMoney(s)
	if err == nil {
		*m = parsed
	}
	return err
}
