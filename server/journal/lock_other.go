//go:build !unix

package journal

import (
	"fmt"
	"os"
	"path/filepath"
)

// lockFolder makes the lock file; elsewhere than on Unix nothing holds it.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	return f, nil
}
