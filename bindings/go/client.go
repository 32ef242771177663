// Package zelf creates Zelf session tokens and sends requests with them. It calls libzelf,
// which must be installed: cgo finds it by pkg-config.
//
//	client, err := zelf.NewClient(nil)
//	session, err := client.CreateSession(ctx, &zelf.SessionOptions{Identifier: identifier})
//	request.Header.Set("Authorization", session.Authorization())
//
// A [SessionProvider] keeps a session and renews it. A [Transport] does this for
// [net/http.Client].
//
// Any number of goroutines may use a client, session, provider or response at once, also
// while another one closes it: a use of something closed is an error, [ErrClosed]. Close
// what you no longer need, because the garbage collector does not see the memory of the
// library. It closes what you forget, but late.
//
// Do not call the server before main, such as in an init function: Go delivers no outcome
// there, so a call lasts until its context ends.
package zelf

// #cgo pkg-config: zelf
// #include <stdlib.h>
// #include <zelf.h>
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"unsafe"
)

// Version returns the version of the running library, such as "0.1.0".
func Version() string { return C.GoString(C.zelf_version()) }

// versionError is not nil if the library is older than the header that the program was
// compiled with.
var versionError = checkVersion(Version())

func checkVersion(version string) error {
	var major, minor int
	_, err := fmt.Sscanf(version, "%d.%d", &major, &minor)
	if err != nil || major < C.ZELF_VERSION_MAJOR || major == C.ZELF_VERSION_MAJOR && minor < C.ZELF_VERSION_MINOR {
		return fmt.Errorf("zelf: the library has version %s, but the program was compiled for %s: install a newer one",
			version, C.ZELF_VERSION)
	}
	return nil
}

// Client creates sessions with one set of settings. One client serves all goroutines of a
// program.
type Client struct {
	owner   owner
	baseURL string
	origin  string
}

// NewClient checks the settings and makes a client; nil means the default settings. It
// starts no thread and opens no connection.
//
// The error is [ErrInvalidConfig], [ErrTLS] if the system's certificates cannot be used, or
// [ErrSystem].
func NewClient(config *Config) (*Client, error) {
	if versionError != nil {
		return nil, versionError
	}
	if config == nil {
		config = &Config{}
	}
	a := arguments{status: ErrInvalidConfig}
	defer a.free()
	c := config.toC(&a)
	defer C.zelf_config_free(c)
	if err := a.err(); err != nil {
		return nil, err
	}
	var failure *C.zelf_error
	object := C.zelf_client_new(c, &failure)
	if object == nil {
		return nil, takeError(failure)
	}
	client := &Client{
		owner{
			what:   "client",
			object: unsafe.Pointer(object),
			free:   func(object unsafe.Pointer) { C.zelf_client_free((*C.zelf_client)(object)) },
		},
		C.GoString(C.zelf_client_base_url(object)),
		C.GoString(C.zelf_client_origin(object)),
	}
	runtime.SetFinalizer(client, func(client *Client) { client.Close() })
	return client, nil
}

// BaseURL returns the address of the API, without "/" at its end.
func (client *Client) BaseURL() string { return client.baseURL }

// Origin returns the Origin header, which the server requires.
func (client *Client) Origin() string { return client.origin }

// CreateSession creates a session. It returns when the session is there, when the time
// limit of the client has passed, or when ctx ends. nil as options sends an empty object.
//
// Calls with equal options at the same time share one request. If ctx ends, the server may
// have carried the request out.
func (client *Client) CreateSession(ctx context.Context, options *SessionOptions) (*Session, error) {
	defer runtime.KeepAlive(client)
	if ctx.Err() != nil {
		return nil, endedError(ctx)
	}
	a := arguments{status: ErrInvalidArgument}
	defer a.free()
	c := options.toC(&a)
	defer C.zelf_session_options_free(c)
	if err := a.err(); err != nil {
		return nil, err
	}
	object, done, err := client.owner.use()
	if err != nil {
		return nil, err
	}
	// A Close cancels the call, so it need not wait for its end.
	return await(ctx, newSession, createCall(object, c), done)
}

// Send sends a request with a session, without renewing it. An answer that refuses the
// session is a response like any other. nil as session sends no token. If ctx ends, the server
// may have carried the request out.
func (client *Client) Send(ctx context.Context, session *Session, request *Request) (*Response, error) {
	defer runtime.KeepAlive(client)
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
	object, done, err := client.owner.use()
	if err != nil {
		return nil, err
	}
	if session == nil {
		return await(ctx, newResponse, sendWithCall(object, nil, c), done)
	}
	token, sessionDone, err := session.owner.use()
	if err != nil {
		done()
		return nil, err
	}
	return await(ctx, newResponse, sendWithCall(object, token, c), done, sessionDone)
}

// Shutdown cancels all calls, and waits until the threads of the client have ended. Then Log
// and Renewed are not called any more. If ctx ends first, the error is that of ctx; call again
// to continue waiting. Close the client afterwards.
func (client *Client) Shutdown(ctx context.Context) error {
	object, done, err := client.owner.use()
	if err != nil {
		return err
	}
	defer done()
	for {
		const ms = 20 // between two looks at ctx
		status := C.zelf_client_shutdown((*C.zelf_client)(object), ms)
		if status != C.ZELF_ERROR_TIMEOUT {
			return statusError(status)
		}
		if ctx.Err() != nil {
			return endedError(ctx)
		}
	}
}

// Close cancels the calls of the client and frees it. Sessions stay valid. A provider hands out
// its session until that ends, then it fails with [ErrShutDown]. A second Close does nothing.
//
// The error is always nil.
func (client *Client) Close() error {
	object, done, err := client.owner.use()
	if err != nil {
		return nil // closed
	}
	defer done()
	// Another goroutine that uses the client delays the free, but not the end of the calls.
	C.zelf_client_shutdown((*C.zelf_client)(object), 0)
	client.owner.close()
	return nil
}
