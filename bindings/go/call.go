package zelf

// #include <stdint.h>
// #include <zelf.h>
//
// extern void zelfGoOutcome(void *object, zelf_error *error, uintptr_t handle);
//
// /* Go must not see a handle as a pointer. */
// static void zelf_go_session(zelf_session *session, zelf_error *error, void *handle)
// {
//     zelfGoOutcome(session, error, (uintptr_t)handle);
// }
//
// static void zelf_go_response(zelf_response *response, zelf_error *error, void *handle)
// {
//     zelfGoOutcome(response, error, (uintptr_t)handle);
// }
//
// static zelf_call *zelf_go_create(zelf_client *client, const zelf_session_options *options,
//                                  uintptr_t handle, zelf_error **error)
// {
//     return zelf_session_create_async(client, options, zelf_go_session, (void *)handle, NULL, error);
// }
//
// static zelf_call *zelf_go_get(zelf_session_provider *provider, uintptr_t handle, zelf_error **error)
// {
//     return zelf_session_provider_get_async(provider, zelf_go_session, (void *)handle, NULL, error);
// }
//
// static zelf_call *zelf_go_send(zelf_session_provider *provider, const zelf_request *request,
//                                uintptr_t handle, zelf_error **error)
// {
//     return zelf_session_provider_send_async(provider, request, zelf_go_response, (void *)handle, NULL, error);
// }
//
// static zelf_call *zelf_go_send_with(zelf_client *client, const zelf_session *session,
//                                     const zelf_request *request, uintptr_t handle, zelf_error **error)
// {
//     return zelf_session_send_async(client, session, request, zelf_go_response, (void *)handle, NULL, error);
// }
import "C"

import (
	"context"
	"io"
	"runtime/cgo"
	"unsafe"
)

// outcome is what a callback receives: exactly one of object and failure.
type outcome struct {
	object  unsafe.Pointer
	failure *C.zelf_error
}

// A starter starts an asynchronous call whose callback gets the handle.
type starter func(handle C.uintptr_t, failure **C.zelf_error) *C.zelf_call

// await starts a call and waits for its outcome, with which it calls made. It cancels the call
// when ctx ends. It calls each of started once, as soon as the call needs no object of the
// caller.
func await[Object io.Closer](ctx context.Context, made func(unsafe.Pointer) Object, start starter, started ...func()) (Object, error) {
	var none Object
	outcomes := make(chan outcome, 1)
	handle := cgo.NewHandle(outcomes)
	var failure *C.zelf_error
	call := start(C.uintptr_t(handle), &failure)
	for _, done := range started {
		done()
	}
	if call == nil {
		handle.Delete() // no callback will
		return none, takeError(failure)
	}
	defer C.zelf_call_free(call)
	select {
	case end := <-outcomes:
		if end.failure == nil {
			return made(end.object), nil
		}
		err := takeError(end.failure)
		if err.Status == ErrCancelled && ctx.Err() != nil {
			err = endedError(ctx)
		}
		return none, err
	case <-ctx.Done():
		C.zelf_call_cancel(call)
		// The outcome may be late: before main, and while a Log or Renewed runs.
		go func() {
			end := <-outcomes
			if end.failure == nil {
				made(end.object).Close()
			} else {
				C.zelf_error_free(end.failure)
			}
		}()
		return none, endedError(ctx)
	}
}

func createCall(client unsafe.Pointer, options *C.zelf_session_options) starter {
	return func(handle C.uintptr_t, failure **C.zelf_error) *C.zelf_call {
		return C.zelf_go_create((*C.zelf_client)(client), options, handle, failure)
	}
}

func getCall(provider unsafe.Pointer) starter {
	return func(handle C.uintptr_t, failure **C.zelf_error) *C.zelf_call {
		return C.zelf_go_get((*C.zelf_session_provider)(provider), handle, failure)
	}
}

func sendWithCall(client, session unsafe.Pointer, request *C.zelf_request) starter {
	return func(handle C.uintptr_t, failure **C.zelf_error) *C.zelf_call {
		return C.zelf_go_send_with((*C.zelf_client)(client), (*C.zelf_session)(session), request, handle, failure)
	}
}

func sendCall(provider unsafe.Pointer, request *C.zelf_request) starter {
	return func(handle C.uintptr_t, failure **C.zelf_error) *C.zelf_call {
		return C.zelf_go_send((*C.zelf_session_provider)(provider), request, handle, failure)
	}
}
