package zelf_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"zelf.world/go/zelf"
)

// trusting returns a transport of net/http that trusts the sandbox.
func trusting(t testing.TB) *http.Transport {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// roundTripper is a function as an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// watchedBody tells whether it was closed. net/http knows no GetBody for it.
type watchedBody struct {
	io.Reader
	isClosed bool
}

func (b *watchedBody) Close() error {
	b.isClosed = true
	return nil
}

func TestTransport(t *testing.T) {
	client := newClient(t, config())
	type fixture struct {
		options  *zelf.SessionOptions
		provider *zelf.SessionProvider
		http     *http.Client
	}
	begin := func(t *testing.T) fixture {
		options := options(t)
		provider := newProvider(t, client, options, nil)
		return fixture{options, provider, &http.Client{
			Transport: &zelf.Transport{Provider: provider, Base: trusting(t)}, Timeout: limit}}
	}
	do := func(t *testing.T, client *http.Client, request *http.Request) (*http.Response, string) {
		t.Helper()
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(body)
	}
	newRequest := func(t *testing.T, method, url string, body io.Reader) *http.Request {
		t.Helper()
		request, err := http.NewRequestWithContext(within(t), method, url, body)
		if err != nil {
			t.Fatal(err)
		}
		return request
	}

	t.Run("a Transport sets the token and the Origin", func(t *testing.T) {
		f := begin(t)
		name := identifier(t)
		response, body := do(t, f.http, newRequest(t, "GET", secure+search(name), nil))
		if response.StatusCode != 200 {
			t.Errorf("it is %s: %s", response.Status, body)
		}
		sent := requests(t, name)[0]
		if sent.header("Authorization") != get(t, f.provider).Authorization() || sent.header("Origin") != secure {
			t.Errorf("sent was %v", sent.Headers)
		}
	})
	t.Run("a Transport sends the Origin of the configuration", func(t *testing.T) {
		settings := config()
		settings.Origin = "https://app.example"
		provider := newProvider(t, newClient(t, settings), options(t), nil)
		name := identifier(t)
		do(t, &http.Client{Transport: &zelf.Transport{Provider: provider, Base: trusting(t)}}, newRequest(t, "GET", secure+search(name), nil))
		if sent := requests(t, name)[0]; sent.header("Origin") != "https://app.example" {
			t.Errorf("sent was %v", sent.Headers)
		}
	})
	t.Run("a Transport renews a refused session and repeats the request", func(t *testing.T) {
		f := begin(t)
		old := get(t, f.provider)
		useUp(t, f.options.Identifier)
		name := identifier(t)
		response, body := do(t, f.http, newRequest(t, "GET", secure+search(name), nil))
		if response.StatusCode != 200 || !strings.Contains(body, "data") {
			t.Errorf("it is %s: %s", response.Status, body)
		}
		sent := requests(t, name)
		if len(sent) != 2 || sent[0].header("Authorization") != old.Authorization() || sent[1].header("Authorization") == old.Authorization() {
			t.Errorf("%d requests were sent", len(sent))
		}
	})
	t.Run("a Transport repeats a body that has GetBody", func(t *testing.T) {
		f := begin(t)
		get(t, f.provider)
		useUp(t, f.options.Identifier)
		response, body := do(t, f.http, newRequest(t, "POST", secure+"/api/zelf-name-service/v2/lease?id=1", strings.NewReader(`{"lease":"go"}`)))
		if response.StatusCode != 200 {
			t.Errorf("it is %s: %s", response.Status, body)
		}
		sent := requests(t, `{"lease":"go"}`)
		if len(sent) != 2 {
			t.Errorf("%d requests were sent with the body", len(sent))
		}
	})
	t.Run("a Transport does not repeat a body without GetBody, but renews the session", func(t *testing.T) {
		f := begin(t)
		old := get(t, f.provider)
		useUp(t, f.options.Identifier)
		once := &watchedBody{Reader: strings.NewReader(`{"lease":"once"}`)}
		response, body := do(t, f.http, newRequest(t, "POST", secure+"/api/zelf-name-service/v2/lease", once))
		if response.StatusCode != 403 || !strings.Contains(body, "Session is not active") {
			t.Errorf("it is %s: %s", response.Status, body)
		}
		if sent := requests(t, `{"lease":"once"}`); len(sent) != 1 {
			t.Errorf("%d requests were sent", len(sent))
		}
		if !once.isClosed || get(t, f.provider).ID() == old.ID() {
			t.Error("the body is open, or the session is the same")
		}
	})
	t.Run("a Transport repeats once only", func(t *testing.T) {
		f := begin(t)
		fault(t, object{"kind": "refusal", "as": "not_active", "path": "/sandbox/echo"})
		target := "/sandbox/echo?id=" + identifier(t)
		response, body := do(t, f.http, newRequest(t, "GET", secure+target, nil))
		if response.StatusCode != 403 || !strings.Contains(body, "Session is not active") {
			t.Errorf("it is %s: %s", response.Status, body)
		}
		if sent := requests(t, target); len(sent) != 2 {
			t.Errorf("%d requests were sent", len(sent))
		}
	})
	t.Run("a Transport passes other answers on unharmed", func(t *testing.T) {
		f := begin(t)
		session := get(t, f.provider)
		for _, size := range []int{0, 10, 4096, 64 << 10, 64<<10 + 1, 1 << 20} {
			for _, status := range []int{401, 403} {
				target := fmt.Sprintf("%s/sandbox/bytes/%d?status=%d&id=%s", secure, size, status, identifier(t))
				response, body := do(t, f.http, newRequest(t, "GET", target, nil))
				if response.StatusCode != status || len(body) != size {
					t.Fatalf("it is %s with %d bytes, not %d with %d", response.Status, len(body), status, size)
				}
				for i := range body {
					if body[i] != byte(i%251) {
						t.Fatalf("byte %d is %d", i, body[i])
					}
				}
			}
		}
		for _, quota := range []string{"search_limit", "invalid_session"} {
			fault(t, object{"kind": "refusal", "as": quota, "path": "/sandbox/echo"})
			if response, body := do(t, f.http, newRequest(t, "GET", secure+"/sandbox/echo", nil)); response.StatusCode < 400 {
				t.Errorf("it is %s: %s", response.Status, body)
			}
			noFaults(t)
		}
		if get(t, f.provider).ID() != session.ID() {
			t.Error("the session was replaced")
		}
	})
	t.Run("a broken answer breaks where it broke", func(t *testing.T) {
		f := begin(t)
		response, err := f.http.Do(newRequest(t, "GET", secure+"/sandbox/bytes/100?status=403&short=50", nil))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if len(body) != 50 || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes came before %v", len(body), err)
		}
	})
	t.Run("a Transport sends no token to another origin", func(t *testing.T) {
		f := begin(t)
		var seen []http.Header
		other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
			seen = append(seen, request.Header)
		}))
		defer other.Close()
		// Directly, by a redirect, and with another scheme on the same machine.
		do(t, f.http, newRequest(t, "GET", other.URL, nil))
		fault(t, object{"kind": "redirect", "status": 307, "location": other.URL + "/away", "path": "/sandbox/echo"})
		do(t, f.http, newRequest(t, "GET", secure+"/sandbox/echo", nil))
		name := identifier(t)
		do(t, f.http, newRequest(t, "GET", plain+search(name), nil))
		if len(seen) != 2 {
			t.Fatalf("the other server has %d requests", len(seen))
		}
		for _, header := range seen {
			if header.Get("Authorization") != "" || header.Get("Origin") != "" {
				t.Errorf("it received %v", header)
			}
		}
		if sent := requests(t, name); len(sent) != 1 || sent[0].header("Authorization") != "" {
			t.Errorf("over HTTP was sent %v", sent)
		}
	})
	t.Run("an origin has no capitals and no default port", func(t *testing.T) {
		for address, origin := range map[string]string{
			"https://API.example:443/x": "https://api.example",
			"HTTP://api.example:80":     "http://api.example",
			"http://api.example:443":    "http://api.example:443",
			"https://api.example:8443/": "https://api.example:8443",
			"http://[::1]:80/":          "http://[::1]",
			"http://[::1]:8080/v3":      "http://[::1]:8080",
			"https://b.api.example":     "https://b.api.example",
			"https://user@api.example":  "https://api.example",
		} {
			parsed, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			if is := zelf.OriginOf(parsed); is != origin {
				t.Errorf("that of %s is %s", address, is)
			}
		}
	})
	t.Run("a Transport does not change the request", func(t *testing.T) {
		f := begin(t)
		request := newRequest(t, "GET", secure+search("go.zelf"), nil)
		request.Header.Set("X-Mine", "1")
		response, _ := do(t, f.http, request)
		if len(request.Header) != 1 || request.Header.Get("X-Mine") != "1" {
			t.Errorf("its headers are %v", request.Header)
		}
		if text := fmt.Sprintf("%+v", response.Request); strings.Contains(text, "Bearer") {
			t.Errorf("the token is in %s", text)
		}
		bare := &http.Request{Method: "GET", URL: request.URL}
		answer, err := f.http.Transport.RoundTrip(bare)
		if err != nil || answer.StatusCode != 200 || bare.Header != nil {
			t.Errorf("a request without headers: %v", err)
		}
		answer.Body.Close()
	})
	t.Run("without a session a Transport gives the error and closes the body", func(t *testing.T) {
		f := begin(t)
		fault(t, object{"kind": "answer", "status": 403, "error": "rejected", "path": "/api/sessions"})
		body := &watchedBody{Reader: strings.NewReader("{}")}
		_, err := f.http.Do(newRequest(t, "POST", secure+"/sandbox/echo", body))
		if !errors.Is(err, zelf.ErrRejectedOrigin) || !body.isClosed {
			t.Errorf("the error is %v, the body closed: %v", err, body.isClosed)
		}
	})
	t.Run("without another session a Transport gives the server's answer", func(t *testing.T) {
		f := begin(t)
		get(t, f.provider)
		useUp(t, f.options.Identifier)
		fault(t, object{"kind": "answer", "status": 403, "error": "rejected", "path": "/api/sessions"})
		response, body := do(t, f.http, newRequest(t, "GET", secure+search("go.zelf"), nil))
		if response.StatusCode != 403 || !strings.Contains(body, "Session is not active") {
			t.Errorf("it is %s: %s", response.Status, body)
		}
		failure(t, f.provider.LastError(), zelf.ErrRejectedOrigin)
	})
	t.Run("a cancelled context ends the wait for a session", func(t *testing.T) {
		f := begin(t)
		fault(t, object{"kind": "stall", "stage": "request", "path": "/api/sessions"})
		ctx, cancel := context.WithCancel(context.Background())
		request := newRequest(t, "GET", secure+"/sandbox/echo", nil).WithContext(ctx)
		ends := make(chan error)
		go func() {
			_, err := f.http.Do(request)
			ends <- err
		}()
		await(t, "the server has the request", func() bool { return len(requests(t, f.options.Identifier)) > 0 })
		cancel()
		if err := <-ends; !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("twenty goroutines with one Transport renew the session once", func(t *testing.T) {
		f := begin(t)
		get(t, f.provider)
		useUp(t, f.options.Identifier)
		before := len(requests(t, f.options.Identifier))
		var users sync.WaitGroup
		for user := 0; user < 20; user++ {
			users.Add(1)
			go func() {
				defer users.Done()
				response, err := f.http.Get(secure + search("go.zelf"))
				if err != nil {
					t.Error(err)
					return
				}
				defer response.Body.Close()
				if response.StatusCode != 200 {
					t.Errorf("it is %s", response.Status)
				}
			}()
		}
		users.Wait()
		kills := 0
		for _, request := range requests(t, f.options.Identifier)[before:] {
			if strings.Contains(request.Body, `"killSession":true`) {
				kills++
			}
		}
		if kills != 1 {
			t.Errorf("it was replaced %d times: %v", kills, requests(t, f.options.Identifier)[before:])
		}
	})
	t.Run("a Transport without a Provider is an error", func(t *testing.T) {
		body := &watchedBody{Reader: strings.NewReader("{}")}
		_, err := (&http.Client{Transport: &zelf.Transport{}}).Do(newRequest(t, "POST", secure, body))
		if err == nil || !strings.Contains(err.Error(), "Provider") || !body.isClosed {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("CloseIdleConnections reaches Base", func(t *testing.T) {
		base := &idle{}
		(&http.Client{Transport: &zelf.Transport{Base: base}}).CloseIdleConnections()
		if !base.isClosed {
			t.Error("it does not")
		}
	})
}

type idle struct {
	http.RoundTripper
	isClosed bool
}

func (i *idle) CloseIdleConnections() { i.isClosed = true }
