package zelf

// #include <stdlib.h>
// #include <zelf.h>
import "C"

import (
	"fmt"
	"math"
	"runtime"
	"sort"
	"time"
	"unsafe"
)

// Repeatable says whether the server may carry a request out more than once.
type Repeatable int

const (
	// RepeatableByMethod means yes for GET and HEAD, and no for other methods.
	RepeatableByMethod Repeatable = iota
	// RepeatableYes means that the library repeats the request after a lost connection, 429,
	// 502, 503, 504 and the 404 of a starting server.
	RepeatableYes
	// RepeatableNo means that the library repeats the request only if the server has
	// certainly not carried it out.
	RepeatableNo
)

// Request is a request to any route of the server. It can be sent any number of times, by
// several goroutines at once. Sending checks everything. String and GoString do not show the
// values of headers and the body.
type Request struct {
	// Method is an HTTP method, such as "GET".
	Method string
	// Target is the path and query, percent-encoded, such as "/api/tags/search?tagName=a.zelf".
	// It is appended to the path of the base URL.
	Target string
	// Header has the headers, except those that the library sets: Host, Origin, User-Agent,
	// Authorization, Content-Length and Accept-Encoding.
	Header map[string]string
	// Body is the body; nil sends none.
	Body []byte
	// ContentType is the Content-Type header of the body.
	ContentType string
	// Timeout limits the time of the whole call: session, all attempts and response.
	// Default: 30 s.
	Timeout time.Duration
	// MaxResponseBytes limits the body of the response. Default: 8 MiB.
	MaxResponseBytes int
	// Repeatable says whether the server may carry the request out more than once.
	Repeatable Repeatable
}

// String shows the method, the target, the names of the headers and the length of the body.
func (request Request) String() string {
	names := make([]string, 0, len(request.Header))
	for name := range request.Header {
		names = append(names, name)
	}
	sort.Strings(names)
	return fmt.Sprintf("zelf.Request(%s %q, headers %q, body of %d bytes)",
		request.Method, request.Target, names, len(request.Body))
}

// GoString shows the same as String.
func (request Request) GoString() string { return request.String() }

// toC makes a request of the library. The caller frees it.
func (request *Request) toC(a *arguments) *C.zelf_request {
	c := C.zelf_request_new(a.text("the method", request.Method), a.text("the target", request.Target))
	for name, value := range request.Header {
		C.zelf_request_set_header(c, a.text("the name of a header", name), a.text("the value of a header", value))
	}
	if request.Body != nil {
		C.zelf_request_set_body(c, a.bytes(request.Body), C.size_t(len(request.Body)), a.optional("the content type", request.ContentType))
	}
	C.zelf_request_set_timeout_ms(c, a.units("the time limit", request.Timeout, time.Millisecond))
	if request.MaxResponseBytes < 0 {
		a.refuse("the limit of the response", "is negative")
	}
	C.zelf_request_set_max_response_bytes(c, C.size_t(request.MaxResponseBytes))
	if request.Repeatable != RepeatableByMethod {
		C.zelf_request_set_repeatable(c, request.Repeatable == RepeatableYes)
	}
	return c
}

// Response is a complete answer of the server, with any status. It does not change. A getter
// of a closed response panics with an error that is [ErrClosed].
type Response struct {
	owner owner
}

func newResponse(object unsafe.Pointer) *Response {
	response := &Response{owner{
		what:   "response",
		object: object,
		free:   func(object unsafe.Pointer) { C.zelf_response_free((*C.zelf_response)(object)) },
	}}
	runtime.SetFinalizer(response, func(response *Response) { response.Close() })
	return response
}

// use returns the response, or panics.
func (response *Response) use() (*C.zelf_response, func()) {
	object, done, err := response.owner.use()
	if err != nil {
		panic(err)
	}
	return (*C.zelf_response)(object), done
}

// HTTPStatus returns the HTTP status, such as 200.
func (response *Response) HTTPStatus() int {
	object, done := response.use()
	defer done()
	return int(C.zelf_response_http_status(object))
}

// Header returns the value of the first header with this name, in any case. It returns "" if
// there is none. It has the bytes that the server sent, which may not be UTF-8.
func (response *Response) Header(name string) string {
	object, done := response.use()
	defer done()
	var a arguments
	defer a.free()
	return C.GoString(C.zelf_response_header(object, a.text("", name)))
}

// Body returns a copy of the body, without transfer coding.
func (response *Response) Body() []byte {
	object, done := response.use()
	defer done()
	var length C.size_t
	body := C.zelf_response_body(object, &length)
	if length > math.MaxInt32 {
		// C.GoBytes counts in int.
		return append([]byte{}, unsafe.Slice((*byte)(body), int(length))...)
	}
	return C.GoBytes(body, C.int(length))
}

// ServerMessage returns the server's words in a response with status 400 or more, or "".
// Display them as plain text: anyone on the way may have written them.
func (response *Response) ServerMessage() string {
	object, done := response.use()
	defer done()
	return C.GoString(C.zelf_response_server_message(object))
}

// Close wipes and frees the response. Copies of its body are yours. A second Close does
// nothing.
//
// The error is always nil.
func (response *Response) Close() error {
	response.owner.close()
	return nil
}
