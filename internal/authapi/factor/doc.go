// Package factor serves second factors: a user enrolls one, answers a challenge of
// it, and the session is at aal2. It owns factors, challenges and their limits; a
// kind of factor is a file. Package session raises the session.
package factor
