package zelf

// #include <stdint.h>
// #include <zelf.h>
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// The library calls these functions by the C functions of call.go and config.go, on its own
// threads or inside a call.

//export zelfGoOutcome
func zelfGoOutcome(object unsafe.Pointer, failure *C.zelf_error, handle C.uintptr_t) {
	outcomes := cgo.Handle(handle).Value().(chan outcome)
	cgo.Handle(handle).Delete()
	outcomes <- outcome{object, failure}
}

//export zelfGoLog
func zelfGoLog(level C.zelf_log_level, message *C.char, handle C.uintptr_t) {
	log := cgo.Handle(handle).Value().(func(LogLevel, string))
	text := C.GoString(message)
	apart(func() { log(LogLevel(level), text) })
}

//export zelfGoRenewed
func zelfGoRenewed(object *C.zelf_session, handle C.uintptr_t) {
	renewed := cgo.Handle(handle).Value().(func(*Session))
	session := &Session{owner{what: "session", object: unsafe.Pointer(object), free: func(unsafe.Pointer) {}}}
	apart(func() { renewed(session) })
	// The session is valid until this function returns.
	_, freed := session.owner.close()
	<-freed
}

//export zelfGoDestroy
func zelfGoDestroy(handle C.uintptr_t) {
	cgo.Handle(handle).Delete()
}

// apart runs a function of the user on another goroutine and waits for it. So neither a
// panic nor a Goexit leaves a callback, which the library forbids.
func apart(function func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		function()
	}()
	<-done
}
