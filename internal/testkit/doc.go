// Package testkit is what tests share: a throw-away Postgres cluster and
// databases in it. It holds no assertion and is imported by tests only.
package testkit
