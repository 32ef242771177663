package zelf

// #include <stdlib.h>
// #include <zelf.h>
import "C"

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"time"
	"unsafe"
)

// SessionType is the purpose of a session: one of the SessionType constants.
type SessionType int32

// SessionOptions says what to ask of a session. A zero value is not sent.
type SessionOptions struct {
	// Identifier is the unique identifier of the device, at most 1024 bytes. Use one per
	// installation and keep it: see [RandomIdentifier] and [DeriveIdentifier]. The server
	// misreads identifiers that look like a date or a database key ("my-device-1").
	Identifier string
	// WithoutIdentifier sends no identifier. The server then returns any session of your
	// public IP address, possibly somebody else's. Without it, "" as Identifier is an error.
	WithoutIdentifier bool
	// Type is the purpose of the session.
	Type SessionType
	// WebExtension says that the session belongs to a browser extension.
	WebExtension bool
	// Domain is the name service domain. The server assumes "zelf".
	Domain string
	// TagName is a tag name, such as "alice.zelf". The server then also looks for a session
	// with this name, and may return that of another identifier.
	TagName string
	// EthAddress is an Ethereum address, which the server copies into the token.
	EthAddress string
	// KillSession ends the server's session for the identifier and makes a new one. The old
	// token stops working.
	KillSession bool
	// Confirm asks again whether a new session exists, which costs a request. [ErrGhostSession]
	// means that it does not.
	Confirm bool
}

// toC makes options of the library, or NULL for nil. The caller frees them.
func (options *SessionOptions) toC(a *arguments) *C.zelf_session_options {
	if options == nil {
		return nil
	}
	c := C.zelf_session_options_new()
	if options.Identifier != "" || !options.WithoutIdentifier {
		C.zelf_session_options_set_identifier(c, a.text("the identifier", options.Identifier))
	}
	if options.Type != 0 {
		C.zelf_session_options_set_type(c, C.zelf_session_type(options.Type))
	}
	if options.WebExtension {
		C.zelf_session_options_set_web_extension(c, true)
	}
	C.zelf_session_options_set_domain(c, a.optional("the domain", options.Domain))
	C.zelf_session_options_set_tag_name(c, a.optional("the tag name", options.TagName))
	C.zelf_session_options_set_eth_address(c, a.optional("the Ethereum address", options.EthAddress))
	C.zelf_session_options_set_kill_session(c, C.bool(options.KillSession))
	C.zelf_session_options_set_confirm(c, C.bool(options.Confirm))
	return c
}

// Session is a session. It does not change. Texts other than the token come from the token
// and are not verified: only the server has the key. A text is "" if the token has none.
//
// A getter of a closed session panics with an error that is [ErrClosed]. String, GoString and
// MarshalJSON do not show the token.
type Session struct {
	owner owner
}

func newSession(object unsafe.Pointer) *Session {
	session := &Session{owner{
		what:   "session",
		object: object,
		free:   func(object unsafe.Pointer) { C.zelf_session_free((*C.zelf_session)(object)) },
	}}
	runtime.SetFinalizer(session, func(session *Session) { session.Close() })
	return session
}

// use returns the session, or panics.
func (session *Session) use() (*C.zelf_session, func()) {
	object, done, err := session.owner.use()
	if err != nil {
		panic(err)
	}
	return (*C.zelf_session)(object), done
}

// Token returns the token, a secret.
func (session *Session) Token() string {
	object, done := session.use()
	defer done()
	return C.GoString(C.zelf_session_token(object))
}

// Authorization returns the value of the Authorization header: "Bearer " and the token.
func (session *Session) Authorization() string {
	object, done := session.use()
	defer done()
	return C.GoString(C.zelf_session_authorization(object))
}

// ID returns the session's id on the server. It may have any characters.
func (session *Session) ID() string {
	object, done := session.use()
	defer done()
	return C.GoString(C.zelf_session_id(object))
}

// Identifier returns the identifier, which says whose session it is. If you set none, it is
// your public IP address or the identifier of somebody else.
func (session *Session) Identifier() string {
	object, done := session.use()
	defer done()
	return C.GoString(C.zelf_session_identifier(object))
}

// Domain returns the domain that the session was made with.
func (session *Session) Domain() string {
	object, done := session.use()
	defer done()
	return C.GoString(C.zelf_session_domain(object))
}

// TagName returns the tag name that the session was made with.
func (session *Session) TagName() string {
	object, done := session.use()
	defer done()
	return C.GoString(C.zelf_session_tag_name(object))
}

// EthAddress returns the Ethereum address that the session was made with.
func (session *Session) EthAddress() string {
	object, done := session.use()
	defer done()
	return C.GoString(C.zelf_session_eth_address(object))
}

// ActivatedAt returns when the session began, by the server's clock. It is zero if the
// server did not say.
func (session *Session) ActivatedAt() time.Time {
	object, done := session.use()
	defer done()
	return unixTime(C.zelf_session_activated_at(object))
}

// ExpiresAt returns when the session ends, by the server's clock. Do not compare it with the
// device's clock: use [Session.TimeLeft].
func (session *Session) ExpiresAt() time.Time {
	object, done := session.use()
	defer done()
	return unixTime(C.zelf_session_expires_at(object))
}

// TimeLeft returns how long the session has left, in whole seconds. It is 0 if the session
// has expired, and at most about 292 years. It does not depend on the device's date.
func (session *Session) TimeLeft() time.Duration {
	object, done := session.use()
	defer done()
	return inSeconds(int64(C.zelf_session_seconds_left(object)))
}

// Close frees the session and wipes its token, unless a provider still holds it. The session
// on the server is not affected. A second Close does nothing.
//
// The error is always nil.
func (session *Session) Close() error {
	session.owner.close()
	return nil
}

// String describes the session without its token.
func (session *Session) String() string {
	object, done, err := session.owner.use()
	if err != nil {
		return "zelf.Session(closed)"
	}
	defer done()
	// The getters panic once another goroutine has closed the session.
	c := (*C.zelf_session)(object)
	return fmt.Sprintf("zelf.Session(identifier %q, %v left)",
		C.GoString(C.zelf_session_identifier(c)), inSeconds(int64(C.zelf_session_seconds_left(c))))
}

// GoString describes the session without its token.
func (session *Session) GoString() string { return session.String() }

// MarshalJSON returns what the session says about itself, without its token.
func (session *Session) MarshalJSON() ([]byte, error) {
	object, done, err := session.owner.use()
	if err != nil {
		return nil, err
	}
	defer done()
	c := (*C.zelf_session)(object)
	return json.Marshal(struct {
		ID          string    `json:"id,omitempty"`
		Identifier  string    `json:"identifier,omitempty"`
		Domain      string    `json:"domain,omitempty"`
		TagName     string    `json:"tagName,omitempty"`
		EthAddress  string    `json:"ethAddress,omitempty"`
		ActivatedAt time.Time `json:"activatedAt"`
		ExpiresAt   time.Time `json:"expiresAt"`
	}{
		C.GoString(C.zelf_session_id(c)), C.GoString(C.zelf_session_identifier(c)),
		C.GoString(C.zelf_session_domain(c)), C.GoString(C.zelf_session_tag_name(c)),
		C.GoString(C.zelf_session_eth_address(c)),
		unixTime(C.zelf_session_activated_at(c)), unixTime(C.zelf_session_expires_at(c)),
	})
}

// inSeconds returns the longest duration, about 292 years, for what is longer.
func inSeconds(seconds int64) time.Duration {
	if seconds > math.MaxInt64/int64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds) * time.Second
}

func unixTime(seconds C.int64_t) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}
