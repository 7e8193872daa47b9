package auth

import "strings"

// Wildcard is the host of a token that only enrols others.
const Wildcard = "*"

// ValidName says whether a name can be an operator's, a host's or an app's: 1 to
// 64 letters, digits, ".", "_" or "-", no "." first, so that it can stand in a
// path, a log and a file name.
func ValidName(name string) bool {
	outside := func(r rune) bool {
		return !strings.ContainsRune("._-", r) && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}
	return len(name) >= 1 && len(name) <= 64 && name[0] != '.' && !strings.ContainsFunc(name, outside)
}
