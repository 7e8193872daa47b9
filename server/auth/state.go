package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/rendergate/rendergate/server/auth/secret"
)

// stateVersion is the version of the files that this package keeps.
const stateVersion = 1

// readState reads a file that this package keeps; one that is not there is empty.
// The remedy is said where it cannot be read.
func readState(path, remedy string, into any) error {
	data, err := secret.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var head struct {
		Version int `json:"version"`
	}
	if err = json.Unmarshal(data, into); err == nil {
		err = json.Unmarshal(data, &head)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w; %s", path, err, remedy)
	}
	if head.Version != stateVersion {
		return fmt.Errorf("%s has version %d, want %d; %s", path, head.Version, stateVersion, remedy)
	}
	return nil
}
