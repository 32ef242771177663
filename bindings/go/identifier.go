package zelf

// #include <stdlib.h>
// #include <zelf.h>
import "C"

// DeriveIdentifier derives an identifier from a device id, such as a serial number, UUID or
// MAC address. The same id gives the same identifier on every device and in every version. It
// takes a few milliseconds: keep the result. Someone with a list of possible ids can try them
// all; if that matters, use [RandomIdentifier].
func DeriveIdentifier(deviceID string) (string, error) {
	a := arguments{status: ErrInvalidArgument}
	defer a.free()
	id := a.text("the device id", deviceID)
	if err := a.err(); err != nil {
		return "", err
	}
	return identifier(func(out *C.char, capacity C.size_t) C.zelf_status {
		return C.zelf_identifier_derive(id, out, capacity)
	})
}

// RandomIdentifier makes a random identifier of 128 bits. Keep it: to the server, another
// identifier is another device.
func RandomIdentifier() (string, error) {
	return identifier(func(out *C.char, capacity C.size_t) C.zelf_status {
		return C.zelf_identifier_random(out, capacity)
	})
}

func identifier(write func(out *C.char, capacity C.size_t) C.zelf_status) (string, error) {
	if versionError != nil {
		return "", versionError
	}
	var out [C.ZELF_IDENTIFIER_SIZE]C.char
	if err := statusError(write(&out[0], C.ZELF_IDENTIFIER_SIZE)); err != nil {
		return "", err
	}
	return C.GoString(&out[0]), nil
}
