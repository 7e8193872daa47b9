package auth_test

import (
	"strings"
	"testing"

	"github.com/rendergate/rendergate/server/auth"
)

// reference is from the argon2 reference program:
// printf password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 24 -e
const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func TestHashPassword(t *testing.T) {
	a, err := auth.HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := auth.HashPassword("correct horse")
	if a == b || !strings.HasPrefix(a, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Fatalf("got %s and %s", a, b)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horse ": false, "": false, "Correct horse": false} {
		if got, err := auth.VerifyPassword(a, password); err != nil || got != want {
			t.Errorf("%q: got %v, %v", password, got, err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", auth.MaxPassword+1)} {
		if _, err := auth.HashPassword(bad); err == nil {
			t.Errorf("%d bytes: want an error", len(bad))
		}
	}
}

func TestVerifyReference(t *testing.T) {
	if ok, err := auth.VerifyPassword(reference, "password"); err != nil || !ok {
		t.Fatalf("the reference program's hash: %v, %v", ok, err)
	}
	if ok, _ := auth.VerifyPassword(reference, "passwore"); ok {
		t.Fatal("a wrong password passes")
	}
}

func TestCheckHashRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "want an argon2id hash"}, {"secret", "want an argon2id hash"},
		{"$2b$12$abcdefghijklmnopqrstuv", "want an argon2id hash"},
		{strings.Replace(reference, "argon2id", "argon2i", 1), "want an argon2id hash"},
		{strings.Replace(reference, "v=19", "v=16", 1), "want argon2id version v=19"},
		{strings.Replace(reference, "m=65536", "m=4", 1), "memory m=4 is out of bounds"},
		{strings.Replace(reference, "m=65536", "m=4294967295", 1), "memory m=4294967295 is out of bounds"},
		{strings.Replace(reference, "m=65536", "m=99999999999", 1), "want an argon2id hash"},
		{strings.Replace(reference, "t=2", "t=0", 1), "passes t=0"}, {strings.Replace(reference, "t=2", "t=100", 1), "passes t=100"},
		{strings.Replace(reference, "m=65536,t=2", "m=262144,t=16", 1), "memory times passes"},
		{strings.Replace(reference, "p=1", "p=0", 1), "lanes p=0"}, {strings.Replace(reference, "p=1", "p=255", 1), "lanes p=255"},
		{strings.Replace(reference, "p=1", "p=1,x=1", 1), "want an argon2id hash"},
		{strings.Replace(reference, "m=65536,t=2", "t=2,m=65536", 1), "want an argon2id hash"},
		{strings.Replace(reference, "c29tZXNhbHQ", "YQ", 1), "the salt"}, {strings.Replace(reference, "c29tZXNhbHQ", "c29tZXNhbHQ=", 1), "the salt"},
		{reference[:len(reference)-30], "the hash"}, {reference + strings.Repeat("A", 1000), "want an argon2id hash"}, {reference + "$x", "want an argon2id hash"},
	} {
		err := auth.CheckHash(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
}

// FuzzHash checks that every hash that passes is within the bounds that keep a
// login short, and stands for itself.
func FuzzHash(f *testing.F) {
	f.Add(reference)
	f.Add("$argon2id$v=19$m=8192,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=08192,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		again, memoryKiB, passes, err := auth.ReadHash(text)
		if err != nil {
			return
		}
		if again != text {
			t.Fatalf("%q reads as %q", text, again)
		}
		if memoryKiB < 8<<10 || memoryKiB > 256<<10 || passes < 1 || memoryKiB*passes > 1<<20 {
			t.Fatalf("%q: %d KiB, %d passes", text, memoryKiB, passes)
		}
	})
}
