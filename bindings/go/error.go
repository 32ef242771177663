package zelf

// #include <stdlib.h>
// #include <zelf.h>
import "C"

import (
	"context"
	"errors"
	"math"
	"time"
)

// Status is the kind of a failure: one of the Err constants. It is an error itself, to
// compare with:
//
//	if errors.Is(err, zelf.ErrRateLimited) { … }
//
// A newer library may have numbers that are not declared here.
type Status int32

// Error returns the meaning of the status.
func (s Status) Error() string {
	return "zelf: " + C.GoString(C.zelf_status_message(C.zelf_status(s)))
}

// Name returns the name in C, such as "ZELF_ERROR_TIMEOUT", or "ZELF_ERROR_UNKNOWN" for a
// number that the library does not know.
func (s Status) Name() string {
	return C.GoString(C.zelf_status_name(C.zelf_status(s)))
}

// Error says why a call failed. It never contains a token.
//
// [errors.Is] compares it with a [Status]. If a context ended the call, it also compares
// with [context.Canceled] or [context.DeadlineExceeded].
type Error struct {
	// Status is the kind of the failure.
	Status Status
	// Message says what failed and what to do. Its wording may change.
	Message string
	// HTTPStatus is the HTTP status of the answer, or 0 if no answer came.
	HTTPStatus int
	// ServerMessage has the words of the server or of a proxy, if there are any. Display
	// them as plain text: anyone on the way may have written them.
	ServerMessage string
	// Retryable says whether the same call may succeed later, unchanged.
	Retryable bool
	// RetryAfter is how long to wait before the next attempt, or 0 if nobody asks to wait.
	RetryAfter time.Duration

	cause error
}

// Error returns the message.
func (e *Error) Error() string { return "zelf: " + e.Message }

// Is tells whether target is the status of the error.
func (e *Error) Is(target error) bool {
	status, isStatus := target.(Status)
	return isStatus && status == e.Status
}

// Unwrap returns the error of the context that ended the call, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Timeout tells whether a time limit has passed: one of the library or a deadline of the
// context. [net/http] and [os.IsTimeout] ask for it.
func (e *Error) Timeout() bool {
	return e.Status == ErrTimeout || errors.Is(e.cause, context.DeadlineExceeded)
}

// takeError copies an error of the library and frees it.
func takeError(failure *C.zelf_error) *Error {
	defer C.zelf_error_free(failure)
	return &Error{
		Status:        Status(C.zelf_error_status(failure)),
		Message:       C.GoString(C.zelf_error_message(failure)),
		HTTPStatus:    int(C.zelf_error_http_status(failure)),
		ServerMessage: C.GoString(C.zelf_error_server_message(failure)),
		Retryable:     bool(C.zelf_error_is_retryable(failure)),
		RetryAfter:    duration(uint64(C.zelf_error_retry_after_ms(failure))),
	}
}

func duration(ms uint64) time.Duration {
	if ms > math.MaxInt64/uint64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(ms) * time.Millisecond
}

// statusError is the error of a function that returns only a status.
func statusError(status C.zelf_status) error {
	if status == C.ZELF_OK {
		return nil
	}
	return &Error{Status: Status(status), Message: C.GoString(C.zelf_status_message(status))}
}

// endedError is the error of a call that its context has ended.
func endedError(ctx context.Context) *Error {
	return &Error{
		Status:  ErrCancelled,
		Message: "the call was cancelled: " + ctx.Err().Error(),
		cause:   ctx.Err(),
	}
}
