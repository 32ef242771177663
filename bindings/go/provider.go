package zelf

// #include <stdint.h>
// #include <stdlib.h>
// #include <zelf.h>
//
// extern void zelfGoRenewed(zelf_session *session, uintptr_t handle);
// extern void zelfGoDestroy(uintptr_t handle);
//
// static void zelf_go_renewed(const zelf_session *session, void *handle)
// {
//     zelfGoRenewed((zelf_session *)session, (uintptr_t)handle);
// }
//
// static void zelf_go_renewed_destroy(void *handle) { zelfGoDestroy((uintptr_t)handle); }
//
// static void zelf_go_set_renewed(zelf_provider_options *options, uintptr_t handle)
// {
//     zelf_provider_options_set_renewed_callback(options, zelf_go_renewed, (void *)handle,
//                                                zelf_go_renewed_destroy);
// }
import "C"

import (
	"context"
	"runtime"
	"runtime/cgo"
	"time"
	"unsafe"
)

// Renewal says when a provider renews its session, and whether it may end the old one: one
// of the Renewal constants.
type Renewal int32

// ProviderOptions says how a provider keeps its session. A zero value is the default.
type ProviderOptions struct {
	// MinValid is how long a session that is handed out has left at least, in whole seconds.
	// Default: 5 s.
	MinValid time.Duration
	// Renewal says when to renew. Default: RenewalAtExpiry.
	Renewal Renewal
	// Background renews and confirms sessions ahead of time, on a thread of the client. Then
	// no caller waits for a renewal.
	Background bool
	// Directory is a directory in which the session is stored, so that short-lived processes
	// share it. It must exist and be writable only by the user. Default: none.
	Directory string
	// Renewed is called when the provider holds another session, on a new goroutine. The
	// session is closed when it returns. All calls of the client wait until then: be quick.
	// Renewed must not wait for one: [Client.CreateSession], [Client.Send],
	// [Client.Shutdown], [SessionProvider.Get], [SessionProvider.Send] and a request with
	// a [Transport] hang in it until their contexts end, also on another goroutine that
	// Renewed waits for. Default: none.
	Renewed func(*Session)
}

// toC makes options of the library, or NULL for nil. The caller frees them.
func (options *ProviderOptions) toC(a *arguments) *C.zelf_provider_options {
	if options == nil {
		return nil
	}
	c := C.zelf_provider_options_new()
	if options.MinValid != 0 {
		C.zelf_provider_options_set_min_valid_s(c, a.units("the time that a session must have left", options.MinValid, time.Second))
	}
	C.zelf_provider_options_set_renewal(c, C.zelf_renewal(options.Renewal))
	C.zelf_provider_options_set_background(c, C.bool(options.Background))
	C.zelf_provider_options_set_directory(c, a.optional("the directory", options.Directory))
	if options.Renewed != nil {
		C.zelf_go_set_renewed(c, C.uintptr_t(cgo.NewHandle(options.Renewed)))
	}
	return c
}

// SessionProvider keeps one session for a program and renews it, so that a valid token is
// always there. It repeats a failed renewal after a pause; during the pause Get fails at once
// with the same error. Processes with one identifier renew one at a time.
type SessionProvider struct {
	owner  owner
	client *Client
}

// NewSessionProvider makes a provider. It makes no request, except with Background. The
// options must have an identifier and must not kill. nil as how means the defaults.
//
// The provider uses the client: after a Close of the client, it hands out its session until
// that ends, and then fails with [ErrShutDown].
func (client *Client) NewSessionProvider(options *SessionOptions, how *ProviderOptions) (*SessionProvider, error) {
	a := arguments{status: ErrInvalidArgument}
	defer a.free()
	session := options.toC(&a)
	defer C.zelf_session_options_free(session)
	c := how.toC(&a)
	defer C.zelf_provider_options_free(c)
	if err := a.err(); err != nil {
		return nil, err
	}
	object, done, err := client.owner.use()
	if err != nil {
		return nil, err
	}
	defer done()
	var failure *C.zelf_error
	made := C.zelf_session_provider_new((*C.zelf_client)(object), session, c, &failure)
	if made == nil {
		return nil, takeError(failure)
	}
	provider := &SessionProvider{
		owner{
			what:   "provider",
			object: unsafe.Pointer(made),
			free: func(object unsafe.Pointer) {
				C.zelf_session_provider_free((*C.zelf_session_provider)(object))
			},
		},
		client,
	}
	runtime.SetFinalizer(provider, func(provider *SessionProvider) { provider.Close() })
	return provider, nil
}

// Get returns a session with at least MinValid left. It makes no request while the provider
// has one. If ctx ends while a session is replaced, that request continues, and later calls
// use its result.
func (provider *SessionProvider) Get(ctx context.Context) (*Session, error) {
	object, done, err := provider.owner.use()
	if err != nil {
		return nil, err
	}
	defer done()
	if ctx.Err() != nil {
		return nil, endedError(ctx)
	}
	if current := C.zelf_session_provider_current((*C.zelf_session_provider)(object)); current != nil {
		return newSession(unsafe.Pointer(current)), nil
	}
	return await(ctx, newSession, getCall(object))
}

// Invalidate tells the provider that a route refused its session. Call it for 401 "Protected
// resource" and 403 "Session is not active", then repeat the request with the next session.
// Do not call it for other answers. [SessionProvider.InvalidateIfRefused] knows them.
//
// It returns whether the provider held that session.
func (provider *SessionProvider) Invalidate(rejected *Session) bool {
	object, done, err := provider.owner.use()
	if err != nil {
		return false
	}
	defer done()
	session, done, err := rejected.owner.use()
	if err != nil {
		return false
	}
	defer done()
	return bool(C.zelf_session_provider_invalidate((*C.zelf_session_provider)(object), (*C.zelf_session)(session)))
}

// InvalidateIfRefused judges an answer that another HTTP client got with the session. If the
// answer refuses the session, it invalidates it and returns true: repeat the request once
// with the next session.
func (provider *SessionProvider) InvalidateIfRefused(session *Session, httpStatus int, body []byte) bool {
	if httpStatus != int(int32(httpStatus)) {
		return false // C would cut it
	}
	object, done, err := provider.owner.use()
	if err != nil {
		return false
	}
	defer done()
	refused, done, err := session.owner.use()
	if err != nil {
		return false
	}
	defer done()
	var a arguments
	defer a.free()
	return bool(C.zelf_session_provider_invalidate_if_refused(
		(*C.zelf_session_provider)(object), (*C.zelf_session)(refused),
		C.int32_t(httpStatus), a.bytes(body), C.size_t(len(body))))
}

// LastError returns why the last renewal failed: an [*Error], whose RetryAfter says when the
// next attempt may come. It is nil if the last renewal worked or there was none.
func (provider *SessionProvider) LastError() error {
	object, done, err := provider.owner.use()
	if err != nil {
		return err
	}
	defer done()
	failure := C.zelf_session_provider_last_error((*C.zelf_session_provider)(object))
	if failure == nil {
		return nil
	}
	return takeError(failure)
}

// Send sends a request with the provider's session, and renews the session if the server
// refuses it. An answer of any other kind is a response, with any HTTP status: check it. If
// ctx ends, the server may have carried the request out.
func (provider *SessionProvider) Send(ctx context.Context, request *Request) (*Response, error) {
	if ctx.Err() != nil {
		return nil, endedError(ctx)
	}
	a := arguments{status: ErrInvalidArgument}
	defer a.free()
	c := request.toC(&a)
	defer C.zelf_request_free(c)
	if err := a.err(); err != nil {
		return nil, err
	}
	object, done, err := provider.owner.use()
	if err != nil {
		return nil, err
	}
	defer done()
	return await(ctx, newResponse, sendCall(object, c))
}

// Close frees the provider. Its calls continue, and its sessions stay valid. A second Close
// does nothing.
//
// The error is always nil.
func (provider *SessionProvider) Close() error {
	provider.owner.close()
	return nil
}
