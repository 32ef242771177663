package zelf

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Transport is an [http.RoundTripper] that sends requests with the session of a provider:
//
//	client := &http.Client{Transport: &zelf.Transport{Provider: provider}}
//
// It sets the headers Authorization and Origin. If the server refuses the session, it repeats
// the request once with the next session. A request with a body is repeated only if it has
// GetBody, which [http.NewRequest] sets for a [bytes.Buffer], [bytes.Reader] and
// [strings.Reader]. If it cannot be repeated, or there is no next session, you get the
// server's answer.
//
// A request to another origin than that of [Client.BaseURL], such as after a redirect, is
// sent unchanged: the token goes only to the server.
//
// Base has the connections: Pins, CAFile, CAPEM, Proxy and the time limits of [Config] apply to
// the creation of sessions only. Give Base the same, for example a TLSClientConfig.
type Transport struct {
	// Provider has the session.
	Provider *SessionProvider
	// Base sends the requests. Default: [http.DefaultTransport].
	Base http.RoundTripper
}

// mostJudged is how much of the body of an answer is read to judge it.
const mostJudged = 64 << 10

// RoundTrip sends a request. It may be called by several goroutines at once.
func (transport *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if transport.Provider == nil {
		closeBody(request.Body)
		return nil, errors.New("zelf: the Transport has no Provider: set one")
	}
	server, err := url.Parse(transport.Provider.client.BaseURL())
	if err != nil {
		closeBody(request.Body)
		return nil, err
	}
	if request.URL == nil || originOf(request.URL) != originOf(server) {
		return transport.base().RoundTrip(request)
	}
	session, err := transport.Provider.Get(request.Context())
	if err != nil {
		closeBody(request.Body)
		return nil, err
	}
	defer session.Close()
	response, err := transport.send(request, request.Body, session)
	if err != nil || !transport.isRefused(session, response) {
		return response, err
	}
	body, isRepeatable := bodyAgain(request)
	if !isRepeatable {
		return response, nil
	}
	next, err := transport.Provider.Get(request.Context())
	if err != nil {
		closeBody(body)
		return response, nil
	}
	defer next.Close()
	response.Body.Close()
	return transport.send(request, body, next)
}

// CloseIdleConnections closes the idle connections of Base, for
// [http.Client.CloseIdleConnections].
func (transport *Transport) CloseIdleConnections() {
	if base, can := transport.base().(interface{ CloseIdleConnections() }); can {
		base.CloseIdleConnections()
	}
}

func (transport *Transport) base() http.RoundTripper {
	if transport.Base != nil {
		return transport.Base
	}
	return http.DefaultTransport
}

// send sends a copy of the request: a RoundTripper does not modify its request.
func (transport *Transport) send(request *http.Request, body io.ReadCloser, session *Session) (*http.Response, error) {
	copied := request.Clone(request.Context())
	copied.Body = body
	if copied.Header == nil {
		copied.Header = http.Header{}
	}
	copied.Header.Set("Authorization", session.Authorization())
	copied.Header.Set("Origin", transport.Provider.client.Origin())
	response, err := transport.base().RoundTrip(copied)
	if response != nil {
		// Without the token.
		response.Request = request
	}
	return response, err
}

// isRefused tells whether the answer refuses the session. The body of the answer can be read
// from its start afterwards.
func (transport *Transport) isRefused(session *Session, response *http.Response) bool {
	if response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden {
		return false
	}
	start, err := io.ReadAll(io.LimitReader(response.Body, mostJudged))
	rest := io.Reader(response.Body)
	if err != nil {
		rest = failingReader{err}
	}
	response.Body = &restoredBody{io.MultiReader(bytes.NewReader(start), rest), response.Body}
	return transport.Provider.InvalidateIfRefused(session, response.StatusCode, start)
}

// restoredBody is a body whose start was read, and is read again.
type restoredBody struct {
	io.Reader
	io.Closer
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

func bodyAgain(request *http.Request) (body io.ReadCloser, isRepeatable bool) {
	if request.Body == nil || request.Body == http.NoBody {
		return request.Body, true
	}
	if request.GetBody == nil {
		return nil, false
	}
	body, err := request.GetBody()
	return body, err == nil
}

func closeBody(body io.Closer) {
	if body != nil {
		body.Close()
	}
}

// originOf returns the scheme, host and port of an address, as RFC 6454 writes them.
func originOf(address *url.URL) string {
	scheme, host, port := strings.ToLower(address.Scheme), strings.ToLower(address.Hostname()), address.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + port
}
