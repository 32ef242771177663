package zelf

// #include <stdlib.h>
// #include <zelf.h>
import "C"

import (
	"math"
	"strings"
	"time"
	"unsafe"
)

// arguments converts values of Go for the setters of the library, which copy them. It
// remembers the first value that C cannot express.
type arguments struct {
	status  Status // of the error for such a value
	texts   []unsafe.Pointer
	refused *Error
}

func (a *arguments) refuse(name, reason string) {
	if a.refused == nil {
		a.refused = &Error{Status: a.status, Message: name + " " + reason}
	}
}

// err returns the error for the first value that C cannot express.
func (a *arguments) err() error {
	if a.refused == nil {
		return nil
	}
	return a.refused
}

// text returns a C string, also for "".
func (a *arguments) text(name, value string) *C.char {
	if strings.IndexByte(value, 0) >= 0 {
		// C would read only the part before it.
		a.refuse(name, "contains a NUL character")
	}
	text := C.CString(value)
	a.texts = append(a.texts, unsafe.Pointer(text))
	return text
}

// optional returns NULL for "", with which setters restore the default.
func (a *arguments) optional(name, value string) *C.char {
	if value == "" {
		return nil
	}
	return a.text(name, value)
}

// number converts a number. The library refuses one that is too large.
func (a *arguments) number(name string, value int64) C.uint32_t {
	if value < 0 {
		a.refuse(name, "is negative")
	}
	if value > math.MaxUint32 {
		value = math.MaxUint32
	}
	return C.uint32_t(value)
}

// units counts a duration in units, rounded up: 0 would restore the default.
func (a *arguments) units(name string, value, unit time.Duration) C.uint32_t {
	count := int64(value / unit)
	if value%unit > 0 {
		count++
	}
	if value < 0 {
		count = -1
	}
	return a.number(name, count)
}

// bytes returns a pointer that is NULL only for nil, valid while value is.
func (a *arguments) bytes(value []byte) unsafe.Pointer {
	if value == nil {
		return nil
	}
	if len(value) == 0 {
		return unsafe.Pointer(a.text("", ""))
	}
	return unsafe.Pointer(&value[0])
}

func (a *arguments) free() {
	for _, text := range a.texts {
		C.free(text)
	}
}
