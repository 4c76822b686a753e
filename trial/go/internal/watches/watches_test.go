package watches

import "testing"

// A right history is accepted, and each planted fault is noticed under its name.
func TestSelf(t *testing.T) {
	SelfTest(1, 200, 10, func(what string, err error) {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	})
}
