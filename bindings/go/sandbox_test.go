package zelf_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"zelf.world/go/zelf"
)

// limit is how long a call may take that the test does not time. It is generous.
const limit = 10 * time.Second

var (
	secure  = os.Getenv("ZELF_HTTPS")
	plain   = os.Getenv("ZELF_HTTP")
	control = os.Getenv("ZELF_CONTROL")
	ca      = os.Getenv("ZELF_CA")
)

func TestMain(m *testing.M) {
	if secure == "" || control == "" {
		fmt.Fprintln(os.Stderr, "these tests need a running zelf-sandbox: bindings/go/test says how they run")
		os.Exit(1)
	}
	// For the examples, which have no settings but the address.
	os.Setenv("SSL_CERT_FILE", ca)
	if child := children[os.Getenv("ZELF_CHILD")]; child != nil {
		child()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// toSandbox tells the sandbox something, or asks it, on its control port.
func toSandbox(t testing.TB, method, path string, body, answer any) {
	t.Helper()
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, control+path, bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: limit}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s %v", method, path, response.Status, received, err)
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(received, answer); err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, received)
	}
}

type object = map[string]any

// fault adds a fault that the end of the test removes.
func fault(t testing.TB, fault object) {
	t.Helper()
	t.Cleanup(func() { noFaults(t) })
	toSandbox(t, "POST", "/sandbox/faults", fault, nil)
}

func noFaults(t testing.TB) { toSandbox(t, "DELETE", "/sandbox/faults", nil, nil) }

// received is a request that the sandbox has received.
type received struct {
	Method, Path string
	Headers      [][2]string
	Body         string
}

// header returns the value of a header, or "".
func (r received) header(name string) string {
	for _, header := range r.Headers {
		if strings.EqualFold(header[0], name) {
			return header[1]
		}
	}
	return ""
}

// requests returns what the sandbox has received whose path or body contains the words.
func requests(t testing.TB, words string) (found []received) {
	t.Helper()
	var answer struct{ Requests []received }
	toSandbox(t, "GET", "/sandbox/requests", nil, &answer)
	for _, request := range answer.Requests {
		if strings.Contains(request.Path, words) || strings.Contains(request.Body, words) {
			found = append(found, request)
		}
	}
	return found
}

// forget shortens the list of requests after a test that sent many: it is read faster then.
func forget(t testing.TB) { toSandbox(t, "DELETE", "/sandbox/requests", nil, nil) }

// config is for the sandbox over HTTPS.
func config() *zelf.Config { return &zelf.Config{BaseURL: secure, CAFile: ca} }

func newClient(t testing.TB, config *zelf.Config) *zelf.Client {
	t.Helper()
	client, err := zelf.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// identifier returns an identifier that no other test uses.
func identifier(t testing.TB) string {
	t.Helper()
	identifier, err := zelf.RandomIdentifier()
	if err != nil {
		t.Fatal(err)
	}
	return identifier
}

func options(t testing.TB) *zelf.SessionOptions {
	return &zelf.SessionOptions{Identifier: identifier(t)}
}

func create(t testing.TB, client *zelf.Client, options *zelf.SessionOptions) *zelf.Session {
	t.Helper()
	session, err := client.CreateSession(within(t), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func newProvider(t testing.TB, client *zelf.Client, options *zelf.SessionOptions, how *zelf.ProviderOptions) *zelf.SessionProvider {
	t.Helper()
	provider, err := client.NewSessionProvider(options, how)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { provider.Close() })
	return provider
}

func get(t testing.TB, provider *zelf.SessionProvider) *zelf.Session {
	t.Helper()
	session, err := provider.Get(within(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// within returns a context that lasts as long as a call may take.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// failure returns the error as one of the library.
func failure(t testing.TB, err error, status zelf.Status) *zelf.Error {
	t.Helper()
	failure, isError := err.(*zelf.Error)
	if !isError || failure.Status != status {
		t.Fatalf("the error is %v, not %s", err, status.Name())
	}
	return failure
}

// await waits until a condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// search is the path of a route that checks the session.
func search(name string) string {
	return "/api/zelf-name-service/v2/search?zelfName=" + url.QueryEscape(name)
}
