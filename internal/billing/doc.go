// Package billing owns the rules of the bill: when a billing period begins, what a user
// counts as, plans with their prices, and the amount of a period's usage. It owns no
// table, knows no payment provider and asks no clock.
package billing
