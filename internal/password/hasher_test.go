package password

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/reevehq/reeve/internal/fault"
	"github.com/reevehq/reeve/tenants"
)

const (
	project = tenants.Ref("aaaaaaaaaaaaaaaaaaaa")
	other   = tenants.Ref("bbbbbbbbbbbbbbbbbbbb")

	// The test vector that github.com/firebase/scrypt publishes.
	firebaseVector = "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==," +
		"sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==" +
		"$42xEC+ixf3L2lw==" +
		"$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
	// Hashes of "test" that the reference verifies in its own tests.
	argon2iVector  = "$argon2i$v=19$m=16,t=2,p=1$bGJRWThNOHJJTVBSdHl2dQ$NfEnUOuUpb7F2fQkgFUG4g"
	argon2idVector = "$argon2id$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk"
)

func TestHash(t *testing.T) {
	t.Parallel()
	h := &Hasher{Gate: NewGate(1, 1)}
	hash, err := h.Hash(t.Context(), project, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if cost, err := bcrypt.Cost([]byte(hash)); err != nil || cost != DefaultCost {
		t.Errorf("cost = %d, %v, want %d", cost, err, DefaultCost)
	}
	if err := CheckImport(hash); err != nil {
		t.Errorf("own hash cannot be imported: %v", err)
	}
	for pw, want := range map[string]bool{"correct horse": true, "wrong": false, "": false} {
		ok, upgrade, err := h.Verify(t.Context(), project, hash, pw)
		if err != nil || ok != want || upgrade {
			t.Errorf("Verify(%q) = %v, %v, %v, want %v, false, nil", pw, ok, upgrade, err, want)
		}
	}
}

func TestHashRefuses(t *testing.T) {
	t.Parallel()
	h := &Hasher{Cost: bcrypt.MinCost}
	if _, err := h.Hash(t.Context(), project, strings.Repeat("x", 73)); !errors.Is(err, ErrTooLong) {
		t.Errorf("73 bytes: %v, want ErrTooLong", err)
	}
	if _, err := h.Hash(t.Context(), project, "abcdef\x00"); !errors.Is(err, ErrNUL) {
		t.Errorf("NUL: %v, want ErrNUL", err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(canceled, project, "abcdef"); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v, want context.Canceled", err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	h := &Hasher{Cost: 5}
	mustHash := func(password string, cost int) string {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
		if err != nil {
			t.Fatal(err)
		}
		return string(hash)
	}
	same, long := mustHash("test", 5), strings.Repeat("x", 72)
	as := func(minor string) string { return "$2" + minor + same[3:] }
	for name, c := range map[string]struct {
		hash, password string
		ok, upgrade    bool
	}{
		"bcrypt of our cost":            {same, "test", true, false},
		"bcrypt, wrong password":        {same, "test1", false, false},
		"bcrypt 2b":                     {as("b"), "test", true, false},
		"bcrypt 2y":                     {as("y"), "test", true, false},
		"bcrypt 2x is another":          {as("x"), "test", false, false},
		"bcrypt of a lower cost":        {mustHash("test", 4), "test", true, true},
		"bcrypt of a higher cost":       {mustHash("test", 6), "test", true, false},
		"bcrypt, 72 bytes":              {mustHash(long, 5), long, true, false},
		"bcrypt, more after 72 bytes":   {mustHash(long, 5), long + "y", true, false},
		"bcrypt, weaker, more after 72": {mustHash(long, 4), long + "y", true, false}, // Hash would refuse it
		"bcrypt, 71 bytes and more":     {mustHash(long[1:], 5), long + "y", false, false},
		"bcrypt, other in the 72nd":     {mustHash(long, 5), long[1:] + "yx", false, false},
		"bcrypt, cut in a character":    {mustHash(long[1:]+"\xc3", 5), long[1:] + "é" + "abc", true, false},
		"bcrypt, NUL behind":            {same, "test\x00", false, false},
		"bcrypt, repeated after a NUL":  {same, "test\x00test", false, false},
		"bcrypt, NUL in front":          {mustHash("", 5), "\x00", false, false},
		"argon2i":                       {argon2iVector, "test", true, true},
		"argon2i, wrong password":       {argon2iVector, "test1", false, false},
		"argon2id":                      {argon2idVector, "test", true, true},
		"argon2id, wrong password":      {argon2idVector, "", false, false},
		"argon2id read as argon2i":      {strings.Replace(argon2idVector, "2id", "2i", 1), "test", false, false},
		"Firebase's vector":             {firebaseVector, "user1password", true, true},
		"Firebase, wrong password":      {firebaseVector, "user1passwore", false, false},
		"Firebase, another salt":        {strings.Replace(firebaseVector, "$42x", "$43x", 1), "user1password", false, false},
		"no hash":                       {"", "", false, false},
		"not a hash":                    {"test", "test", false, false},
		"bcrypt, cost beyond the bound": {"$2a$13" + same[6:], "test", false, false},
		"bcrypt, cut":                   {same[:59], "test", false, false},
		"bcrypt, more behind":           {same + "x", "test", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ok, upgrade, err := h.Verify(t.Context(), project, c.hash, c.password)
			if ok != c.ok || upgrade != c.upgrade || err != nil {
				t.Errorf("Verify = %v, %v, %v, want %v, %v, nil", ok, upgrade, err, c.ok, c.upgrade)
			}
		})
	}
}

// An argon2 import may have a longer password than bcrypt's limit; it is kept.
func TestVerify_no_upgrade_that_cannot_be_hashed(t *testing.T) {
	t.Parallel()
	pw := strings.Repeat("x", 100)
	in, err := parseArgon2(argon2idVector)
	if err != nil {
		t.Fatal(err)
	}
	a := in.(argon2Hash)
	hash := encodeArgon2id(a, pw)
	ok, upgrade, err := (&Hasher{Cost: 4}).Verify(t.Context(), project, hash, pw)
	if !ok || upgrade || err != nil {
		t.Errorf("Verify = %v, %v, %v, want true, false, nil", ok, upgrade, err)
	}
}

// The dummy hash must be one that bcrypt computes with, not one that it refuses
// immediately.
func TestDummy_computes(t *testing.T) {
	t.Parallel()
	for _, cost := range []int{0, 4, 12} {
		h := &Hasher{Cost: cost}
		hash := h.dummyHash()
		if err := CheckImport(hash); err != nil {
			t.Fatalf("cost %d: dummy hash is malformed: %v", cost, err)
		}
		if got, err := bcrypt.Cost([]byte(hash)); err != nil || got != h.cost() {
			t.Errorf("cost %d: dummy hash has cost %d, %v", cost, got, err)
		}
	}
	h := &Hasher{Cost: 4}
	err := bcrypt.CompareHashAndPassword([]byte(h.dummyHash()), []byte("x"))
	if !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		t.Errorf("comparison = %v, want a mismatch", err)
	}
	if err := h.Dummy(t.Context(), project, strings.Repeat("x", 1000)); err != nil {
		t.Errorf("Dummy = %v", err)
	}
}

// A full gate refuses unknown and known users alike.
func TestDummy_busy_like_Verify(t *testing.T) {
	t.Parallel()
	h := &Hasher{Cost: 4, Gate: NewGate(1, 1)}
	leave, err := h.Gate.Enter(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	queued := waitIn(t, h.Gate, project, 1)
	_, _, verifyErr := h.Verify(t.Context(), project, "", "x")
	dummyErr := h.Dummy(t.Context(), project, "x")
	if !errors.Is(verifyErr, ErrBusy) || !errors.Is(dummyErr, ErrBusy) {
		t.Errorf("Verify: %v, Dummy: %v, want ErrBusy of both", verifyErr, dummyErr)
	}
	if fault.From(dummyErr).RetryAfter <= 0 {
		t.Error("ErrBusy has no RetryAfter")
	}
	leave()
	<-queued
}

// A developer can write any hash into the table. One that is too costly does
// not match, even with its own password.
func TestVerify_too_costly_is_no_match(t *testing.T) {
	t.Parallel()
	a, err := parseArgon2(argon2idVector)
	if err != nil {
		t.Fatal(err)
	}
	five := a.(argon2Hash)
	five.lanes = 5
	long := a.(argon2Hash)
	long.time = 11
	for name, hash := range map[string]string{
		"argon2, 5 lanes":   encodeArgon2id(five, "test"),
		"argon2, 11 passes": encodeArgon2id(long, "test"),
		"Firebase, p=5": encodeFirebase(t, firebaseHash{
			logN: 6, r: 8, p: 5, salt: []byte("salt"), signerKey: make([]byte, minSignerKey),
		}, "test"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &Hasher{Cost: 4, Gate: NewGate(1, 1)}
			ok, upgrade, err := h.Verify(t.Context(), project, hash, "test")
			if ok || upgrade || err != nil {
				t.Errorf("Verify = %v, %v, %v, want false, false, nil", ok, upgrade, err)
			}
		})
	}
}

func TestCheckImport_refuses(t *testing.T) {
	t.Parallel()
	arg := func(params string) string {
		return fmt.Sprintf("$argon2id$v=19$%s$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk", params)
	}
	fb := func(old, with string) string { return strings.Replace(firebaseVector, old, with, 1) }
	for name, hash := range map[string]string{
		"empty":                     "",
		"plain text":                "hunter2",
		"sha crypt":                 "$6$salt$hash",
		"far too long":              "$argon2id$" + strings.Repeat("x", 2000),
		"bcrypt, cost 3":            "$2a$03$Q8fzFYrDUCHzTsvmMx3kz.H9Rn1Qd0vZt4hJbTq7aXyU2oKcWmLe6",
		"bcrypt, cost 13":           "$2a$13$Q8fzFYrDUCHzTsvmMx3kz.H9Rn1Qd0vZt4hJbTq7aXyU2oKcWmLe6",
		"bcrypt, cost 31":           "$2a$31$Q8fzFYrDUCHzTsvmMx3kz.H9Rn1Qd0vZt4hJbTq7aXyU2oKcWmLe6",
		"bcrypt, cost not a number": "$2a$+9$Q8fzFYrDUCHzTsvmMx3kz.H9Rn1Qd0vZt4hJbTq7aXyU2oKcWmLe6",
		"bcrypt, other alphabet":    "$2a$10$Q8fzFYrDUCHzTsvmMx3kz+H9Rn1Qd0vZt4hJbTq7aXyU2oKcWmLe6",
		"bcrypt, prefix only":       "$2",
		"argon2d":                   strings.Replace(argon2idVector, "argon2id", "argon2d", 1),
		"argon2 version 16":         strings.Replace(argon2idVector, "v=19", "v=16", 1),
		"argon2, no version":        strings.Replace(argon2idVector, "v=19$", "", 1),
		"argon2, 64 MiB and 1 KiB":  arg("m=65537,t=1,p=1"),
		"argon2, 4 passes, 64 MiB":  arg("m=65536,t=4,p=1"),
		"argon2, 10 passes, 20 MiB": arg("m=20480,t=10,p=1"),
		"argon2, memory overflows":  arg("m=4294967297,t=1,p=1"),
		"argon2, 11 passes":         arg("m=32,t=11,p=1"),
		"argon2, no pass":           arg("m=32,t=0,p=1"),
		"argon2, no lane":           arg("m=32,t=1,p=0"),
		"argon2, 5 lanes":           arg("m=32,t=1,p=5"),
		"argon2, sign":              arg("m=+32,t=1,p=1"),
		"argon2, other order":       arg("t=1,m=32,p=1"),
		"argon2, keyid":             arg("m=32,t=1,p=1,keyid=Zm9v"),
		"argon2, data":              arg("m=32,t=1,p=1,data=Zm9v"),
		"argon2, data behind":       argon2idVector + ",Zm9v",
		"argon2, no salt":           "$argon2id$v=19$m=32,t=3,p=2$$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk",
		"argon2, no hash":           "$argon2id$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$",
		"argon2, hash of one byte":  "$argon2id$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$QQ",
		"argon2, line break":        argon2idVector + "\n",
		"fbscrypt, version 2":       fb("v=1", "v=2"),
		"fbscrypt, n=18":            fb("n=14", "n=18"),
		"fbscrypt, n=0":             fb("n=14", "n=0"),
		"fbscrypt, r=0":             fb("r=8", "r=0"),
		"fbscrypt, p=0":             fb("p=1", "p=0"),
		"fbscrypt, p=5":             fb("p=1", "p=5"),
		"fbscrypt, n=15":            fb("n=14", "n=15"),
		"fbscrypt, r=9":             fb("r=8", "r=9"),
		"fbscrypt, p=2":             fb("p=1", "p=2"),
		"fbscrypt, r=17":            fb("n=14,r=8", "n=1,r=17"),
		"fbscrypt, no signer key":   "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==$42xEC+ixf3L2lw==$QUJD",
		"fbscrypt, empty key, hash": "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=$42xEC+ixf3L2lw==$",
		"fbscrypt, short hash":      firebaseVector[:strings.LastIndex(firebaseVector, "$")] + "$QUJD",
		"fbscrypt, no salt":         fb("$42xEC+ixf3L2lw==", "$"),
		"fbscrypt, URL-safe base64": fb("42xEC+", "42xEC-"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := CheckImport(hash)
			if !errors.Is(err, ErrBadHash) {
				t.Fatalf("CheckImport = %v, want ErrBadHash", err)
			}
			if f := fault.From(err); f.Err == nil || f.Message != ErrBadHash.Message {
				t.Errorf("fault = %+v, want a cause and the fixed message", f)
			}
		})
	}
}

func TestCheckImport_accepts(t *testing.T) {
	t.Parallel()
	argon := func(params string) string { return strings.Replace(argon2idVector, "m=32,t=3,p=2", params, 1) }
	for name, hash := range map[string]string{
		"bcrypt":                      "$2y$12$Q8fzFYrDUCHzTsvmMx3kz.H9Rn1Qd0vZt4hJbTq7aXyU2oKcWmLe6",
		"argon2i":                     argon2iVector,
		"argon2id":                    argon2idVector,
		"argon2, RFC 9106's second":   argon("m=65536,t=3,p=4"),
		"argon2, OWASP, 46 MiB":       argon("m=47104,t=1,p=1"),
		"argon2, OWASP, 19 MiB":       argon("m=19456,t=2,p=1"),
		"argon2, OWASP, 12 MiB":       argon("m=12288,t=3,p=1"),
		"argon2, OWASP, 9 MiB":        argon("m=9216,t=4,p=1"),
		"argon2, OWASP, 7 MiB":        argon("m=7168,t=5,p=1"),
		"argon2, the most passes":     argon("m=19660,t=10,p=4"),
		"fbscrypt":                    firebaseVector,
		"fbscrypt, without separator": strings.Replace(firebaseVector, "ss=Bw==,", "", 1),
		"fbscrypt, as much, other":    strings.Replace(firebaseVector, "n=14,r=8,p=1", "n=12,r=8,p=4", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := CheckImport(hash); err != nil {
				t.Error(err)
			}
		})
	}
}

// No input panics or exceeds the bound on cost.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		firebaseVector, argon2iVector, argon2idVector, (&Hasher{}).dummyHash(),
		"$2a$", "$argon2id$v=19$m=,t=,p=$$", "$fbscrypt$v=1,n=1,r=1,p=1,sk=$$",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		s, err := parse(hash)
		if err != nil {
			return
		}
		switch s := s.(type) {
		case bcryptHash:
			if s.cost < 4 || s.cost > 12 {
				t.Errorf("cost %d", s.cost)
			}
		case argon2Hash:
			if s.memory < 1 || s.memory > 64*1024 || s.time < 1 || s.time*s.memory > 192*1024 || s.lanes < 1 || s.lanes > 4 || len(s.hash) < 12 {
				t.Errorf("%+v", s)
			}
			if s.memory*s.time < 4096 {
				s.matches("x")
			}
		case firebaseHash:
			if (1<<s.logN)*s.r*s.p > 1<<17 || s.p < 1 || len(s.hash) != len(s.signerKey) || len(s.hash) == 0 {
				t.Errorf("%+v", s)
			}
			if s.logN <= 6 {
				s.matches("x")
			}
		default:
			t.Errorf("unknown kind %T", s)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	h := &Hasher{Gate: NewGate(0, 0)}
	hash, err := h.Hash(b.Context(), project, "correct horse")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if ok, _, err := h.Verify(b.Context(), project, hash, "correct horse"); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
