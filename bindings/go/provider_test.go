package zelf_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"zelf.world/go/zelf"
)

// age makes the session of the identifier older.
func age(t testing.TB, identifier string, seconds int) {
	t.Helper()
	toSandbox(t, "POST", "/sandbox/age", object{"identifier": identifier, "seconds": seconds}, nil)
}

// useUp makes the routes that check the session refuse it.
func useUp(t testing.TB, identifier string) {
	t.Helper()
	toSandbox(t, "POST", "/sandbox/use", object{"identifier": identifier}, nil)
}

func TestSessionProvider(t *testing.T) {
	client := newClient(t, config())

	t.Run("a provider keeps its session", func(t *testing.T) {
		options := options(t)
		provider := newProvider(t, client, options, nil)
		first := get(t, provider)
		before := len(requests(t, options.Identifier))
		for number := 0; number < 100; number++ {
			if same := get(t, provider); same.ID() != first.ID() {
				t.Fatalf("get %d has another session", number)
			}
		}
		// The one more is the confirmation of a new session.
		if sent := len(requests(t, options.Identifier)); sent > before+1 {
			t.Errorf("%d requests were sent", sent-before)
		}
	})
	t.Run("a provider replaces an expired session", func(t *testing.T) {
		options := options(t)
		create(t, client, options)
		age(t, options.Identifier, 593)
		provider := newProvider(t, client, options, nil)
		old := get(t, provider)
		await(t, "there is another session", func() bool { return get(t, provider).ID() != old.ID() })
		if left := get(t, provider).TimeLeft(); left < 500*time.Second {
			t.Errorf("it has only %v left", left)
		}
	})
	t.Run("MinValid says what a session has left", func(t *testing.T) {
		options := options(t)
		old := create(t, client, options)
		age(t, options.Identifier, 500)
		provider := newProvider(t, client, options, &zelf.ProviderOptions{MinValid: 200 * time.Second})
		if next := get(t, provider); next.ID() == old.ID() || next.TimeLeft() < 200*time.Second {
			t.Errorf("it has %v left", next.TimeLeft())
		}
	})
	t.Run("RenewalNeverKill keeps the session that the server returns", func(t *testing.T) {
		options := options(t)
		old := create(t, client, options)
		age(t, options.Identifier, 500)
		provider := newProvider(t, client, options,
			&zelf.ProviderOptions{MinValid: 200 * time.Second, Renewal: zelf.RenewalNeverKill})
		if same := get(t, provider); same.ID() != old.ID() {
			t.Error("the session is another")
		}
	})
	t.Run("Invalidate replaces a refused session", func(t *testing.T) {
		options := options(t)
		provider := newProvider(t, client, options, nil)
		refused := get(t, provider)
		useUp(t, options.Identifier)
		if !provider.Invalidate(refused) || provider.Invalidate(refused) {
			t.Error("the provider does not say whether it held the session")
		}
		if next := get(t, provider); next.ID() == refused.ID() {
			t.Error("the session is the same")
		}
	})
	t.Run("InvalidateIfRefused judges an answer", func(t *testing.T) {
		options := options(t)
		provider := newProvider(t, client, options, nil)
		session := get(t, provider)
		for body, status := range map[string]int{
			`{"validationError":"Search limit exceeded"}`: 403,
			`{"error":"Invalid session"}`:                 401,
			`{"validationError":"Session is not active"}`: 200,
			``: 403,
		} {
			if provider.InvalidateIfRefused(session, status, []byte(body)) {
				t.Errorf("%d %s refuses the session", status, body)
			}
		}
		if wide := int64(1<<32 + 403); strconv.IntSize == 64 && provider.InvalidateIfRefused(session, int(wide), []byte(`{"validationError":"Session is not active"}`)) {
			t.Errorf("%d refuses the session", wide)
		}
		if provider.InvalidateIfRefused(session, 403, nil) {
			t.Error("an answer without a body refuses the session")
		}
		useUp(t, options.Identifier)
		if !provider.InvalidateIfRefused(session, 403, []byte(`{"validationError":"Session is not active"}`)) {
			t.Error("the answer does not refuse the session")
		}
		if next := get(t, provider); next.ID() == session.ID() {
			t.Error("the session is the same")
		}
	})
	t.Run("Renewed gets each new session, which is closed afterwards", func(t *testing.T) {
		var kept []*zelf.Session
		var ids []string
		var mutex sync.Mutex
		provider := newProvider(t, client, options(t), &zelf.ProviderOptions{Renewed: func(session *zelf.Session) {
			mutex.Lock()
			defer mutex.Unlock()
			kept, ids = append(kept, session), append(ids, session.ID())
		}})
		id := get(t, provider).ID()
		mutex.Lock()
		defer mutex.Unlock()
		if len(ids) != 1 || ids[0] != id {
			t.Fatalf("it got %v, not %s", ids, id)
		}
		if err := panicOf(func() { _ = kept[0].Token() }); !errors.Is(err, zelf.ErrClosed) {
			t.Errorf("the panic is %v", err)
		}
	})
	t.Run("Background gets a session by itself", func(t *testing.T) {
		renewed := make(chan string, 10)
		newProvider(t, client, options(t), &zelf.ProviderOptions{
			Background: true,
			Renewed:    func(session *zelf.Session) { renewed <- session.Identifier() },
		})
		select {
		case <-renewed:
		case <-time.After(limit):
			t.Error("it got none")
		}
	})
	t.Run("Directory shares the session with another provider", func(t *testing.T) {
		folder := t.TempDir()
		if err := os.Chmod(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		options := options(t)
		first := get(t, newProvider(t, client, options, &zelf.ProviderOptions{Directory: folder}))
		before := len(requests(t, options.Identifier))
		second := get(t, newProvider(t, newClient(t, config()), options, &zelf.ProviderOptions{Directory: folder}))
		sent := requests(t, options.Identifier)[before:]
		if second.ID() != first.ID() || len(sent) > 1 {
			t.Errorf("sent was %v", sent)
		}
	})
	t.Run("LastError says why a renewal failed", func(t *testing.T) {
		provider := newProvider(t, client, options(t), nil)
		if err := provider.LastError(); err != nil {
			t.Errorf("before, it is %v", err)
		}
		fault(t, object{"kind": "answer", "status": 403, "error": "rejected", "path": "/api/sessions"})
		_, err := provider.Get(within(t))
		failure(t, err, zelf.ErrRejectedOrigin)
		last := failure(t, provider.LastError(), zelf.ErrRejectedOrigin)
		if last.RetryAfter <= 0 {
			t.Error("it does not say when the next attempt is")
		}
	})
	t.Run("a cancelled context ends a Get at once", func(t *testing.T) {
		fault(t, object{"kind": "stall", "stage": "request", "path": "/api/sessions"})
		options := options(t)
		provider := newProvider(t, client, options, nil)
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			for len(requests(t, options.Identifier)) == 0 {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		start := time.Now()
		_, err := provider.Get(ctx)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, zelf.ErrCancelled) || time.Since(start) > 2*time.Second {
			t.Errorf("the error is %v after %v", err, time.Since(start))
		}
	})
	t.Run("unusable options are an error", func(t *testing.T) {
		_, err := client.NewSessionProvider(nil, nil)
		failure(t, err, zelf.ErrInvalidArgument)
		_, err = client.NewSessionProvider(options(t), &zelf.ProviderOptions{MinValid: -time.Second})
		failure(t, err, zelf.ErrInvalidArgument)
		_, err = client.NewSessionProvider(options(t), &zelf.ProviderOptions{MinValid: 100000 * time.Hour})
		failure(t, err, zelf.ErrInvalidArgument)
	})
	t.Run("a Get of a valid session makes no call: it works without the client", func(t *testing.T) {
		client := newClient(t, config())
		provider := newProvider(t, client, options(t), nil)
		first := get(t, provider)
		client.Close()
		same := get(t, provider)
		if same.ID() != first.ID() {
			t.Error("the session is another")
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := provider.Get(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context the error is %v", err)
		}
		provider.Invalidate(same)
		_, err := provider.Get(within(t))
		failure(t, err, zelf.ErrShutDown)
	})
	t.Run("a closed provider gives ErrClosed", func(t *testing.T) {
		provider := newProvider(t, client, options(t), nil)
		session := get(t, provider)
		provider.Close()
		provider.Close()
		_, got := provider.Get(within(t))
		_, sent := provider.Send(within(t), &zelf.Request{Method: "GET", Target: "/"})
		for _, err := range []error{got, sent, provider.LastError()} {
			if !errors.Is(err, zelf.ErrClosed) || !strings.Contains(err.Error(), "provider") {
				t.Errorf("the error is %v", err)
			}
		}
		if provider.Invalidate(session) || provider.InvalidateIfRefused(session, 403, nil) {
			t.Error("it invalidates a session")
		}
	})
	t.Run("a provider may be closed while others use it", func(t *testing.T) {
		for round := 0; round < 20; round++ {
			provider := newProvider(t, client, options(t), nil)
			get(t, provider)
			var users sync.WaitGroup
			for user := 0; user < 8; user++ {
				users.Add(1)
				go func() {
					defer users.Done()
					for {
						session, err := provider.Get(context.Background())
						if errors.Is(err, zelf.ErrClosed) {
							return
						}
						if err != nil {
							t.Error(err)
							return
						}
						session.Close()
					}
				}()
			}
			provider.Close()
			users.Wait()
		}
	})
}

func TestSend(t *testing.T) {
	client := newClient(t, config())
	send := func(t *testing.T, provider *zelf.SessionProvider, request *zelf.Request) *zelf.Response {
		t.Helper()
		response, err := provider.Send(within(t), request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Close() })
		return response
	}

	t.Run("an authenticated request has its JSON", func(t *testing.T) {
		response := send(t, newProvider(t, client, options(t), nil), &zelf.Request{Method: "GET", Target: "/api/tags/search?tagName=go.zelf"})
		var answer struct{ Data struct{ Request string } }
		if err := json.Unmarshal(response.Body(), &answer); err != nil {
			t.Fatal(err)
		}
		if response.HTTPStatus() != 200 || answer.Data.Request != "GET /api/tags/search?tagName=go.zelf" {
			t.Errorf("it is %d: %+v", response.HTTPStatus(), answer)
		}
		if kind := response.Header("content-type"); !strings.Contains(kind, "json") || response.Header("X-Missing") != "" {
			t.Errorf("its type is %q", kind)
		}
	})
	t.Run("a request sends its headers and its body", func(t *testing.T) {
		target := "/sandbox/echo?id=" + identifier(t)
		request := &zelf.Request{Method: "POST", Target: target, Header: map[string]string{"X-Go": "yes"},
			Body: []byte(`{"a":1}`), ContentType: "application/json"}
		response := send(t, newProvider(t, client, options(t), nil), request)
		sent := requests(t, target)[0]
		if string(response.Body()) != `{"a":1}` || sent.header("X-Go") != "yes" || sent.header("Content-Type") != "application/json" {
			t.Errorf("sent was %+v, the answer %q", sent, response.Body())
		}
	})
	t.Run("no text form of a Request shows its headers and its body", func(t *testing.T) {
		request := zelf.Request{Method: "POST", Target: "/a", Header: map[string]string{"X-Key": "secret"}, Body: []byte("secret")}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			for _, text := range []string{fmt.Sprintf(verb, request), fmt.Sprintf(verb, &request)} {
				if strings.Contains(text, "secret") || strings.Contains(text, "115 101 99") || strings.Contains(text, "0x73") || !strings.Contains(text, "POST") || !strings.Contains(text, "X-Key") {
					t.Errorf("%s shows %s", verb, text)
				}
			}
		}
	})
	t.Run("an empty body is a body, and nil is none", func(t *testing.T) {
		provider := newProvider(t, client, options(t), nil)
		for kind, body := range map[string][]byte{"text/empty": {}, "": nil} {
			target := "/sandbox/echo?id=" + identifier(t)
			send(t, provider, &zelf.Request{Method: "POST", Target: target, Body: body, ContentType: "text/empty"})
			if sent := requests(t, target)[0].header("Content-Type"); sent != kind {
				t.Errorf("the type is %q, not %q", sent, kind)
			}
		}
	})
	t.Run("a refused session is renewed on the way", func(t *testing.T) {
		options := options(t)
		provider := newProvider(t, client, options, nil)
		old := get(t, provider)
		useUp(t, options.Identifier)
		response := send(t, provider, &zelf.Request{Method: "POST", Target: "/api/zelf-name-service/v2/lease", Body: []byte("{}"), ContentType: "application/json"})
		if response.HTTPStatus() != 200 || get(t, provider).ID() == old.ID() {
			t.Errorf("it is %d: %s", response.HTTPStatus(), response.ServerMessage())
		}
	})
	t.Run("an answer of any status is a response", func(t *testing.T) {
		response := send(t, newProvider(t, client, options(t), nil), &zelf.Request{Method: "GET", Target: "/api/zelf-name-service/v2/search"})
		if response.HTTPStatus() != 409 || response.ServerMessage() == "" {
			t.Errorf("it is %d: %q", response.HTTPStatus(), response.ServerMessage())
		}
	})
	t.Run("Repeatable lets the library repeat a POST", func(t *testing.T) {
		provider := newProvider(t, client, options(t), nil)
		get(t, provider)
		for repeatable, status := range map[zelf.Repeatable]int{zelf.RepeatableByMethod: 503, zelf.RepeatableNo: 503, zelf.RepeatableYes: 200} {
			target := "/sandbox/echo?id=" + identifier(t)
			fault(t, object{"kind": "answer", "status": 503, "times": 1, "path": "/sandbox/echo"})
			response := send(t, provider, &zelf.Request{Method: "POST", Target: target, Repeatable: repeatable})
			if response.HTTPStatus() != status {
				t.Errorf("with %d it is %d", repeatable, response.HTTPStatus())
			}
			noFaults(t)
		}
		fault(t, object{"kind": "answer", "status": 503, "times": 1, "path": "/sandbox/echo"})
		response := send(t, provider, &zelf.Request{Method: "GET", Target: "/sandbox/echo", Repeatable: zelf.RepeatableNo})
		if response.HTTPStatus() != 503 {
			t.Errorf("a GET is repeated: %d", response.HTTPStatus())
		}
	})
	t.Run("MaxResponseBytes limits the response", func(t *testing.T) {
		provider := newProvider(t, client, options(t), nil)
		_, err := provider.Send(within(t), &zelf.Request{Method: "GET", Target: "/sandbox/bytes/1001", MaxResponseBytes: 1000})
		failure(t, err, zelf.ErrResponseTooLarge)
		response := send(t, provider, &zelf.Request{Method: "GET", Target: "/sandbox/bytes/1000", MaxResponseBytes: 1000})
		body := response.Body()
		if len(body) != 1000 || body[250] != 250 || body[0] != 0 {
			t.Errorf("the body has %d bytes", len(body))
		}
	})
	t.Run("a request has a time limit", func(t *testing.T) {
		provider := newProvider(t, client, options(t), nil)
		get(t, provider)
		fault(t, object{"kind": "stall", "stage": "request", "path": "/sandbox/echo"})
		_, err := provider.Send(within(t), &zelf.Request{Method: "GET", Target: "/sandbox/echo", Timeout: 100 * time.Millisecond})
		failure(t, err, zelf.ErrTimeout)
	})
	t.Run("an unusable request is an error that names the reason", func(t *testing.T) {
		provider := newProvider(t, client, options(t), nil)
		for words, request := range map[string]*zelf.Request{
			"method":    {Target: "/"},
			"target":    {Method: "GET", Target: "no-slash"},
			"Origin":    {Method: "GET", Target: "/", Header: map[string]string{"Origin": "x"}},
			"NUL":       {Method: "GET", Target: "/a\x00b"},
			"negative":  {Method: "GET", Target: "/", Timeout: -1},
			"response":  {Method: "GET", Target: "/", MaxResponseBytes: -1},
			"character": {Method: "GET", Target: "/", Header: map[string]string{"A": "b\x00c"}},
		} {
			_, err := provider.Send(within(t), request)
			if err := failure(t, err, zelf.ErrInvalidArgument); !strings.Contains(err.Error(), words) {
				t.Errorf("the message for %s is %q", words, err)
			}
		}
	})
	t.Run("a cancelled context ends a request at once", func(t *testing.T) {
		provider := newProvider(t, client, options(t), nil)
		session := get(t, provider)
		fault(t, object{"kind": "stall", "stage": "request", "path": "/sandbox/echo"})
		for name, send := range map[string]func(context.Context, *zelf.Request) (*zelf.Response, error){
			"of a provider": provider.Send,
			"of a client": func(ctx context.Context, request *zelf.Request) (*zelf.Response, error) {
				return client.Send(ctx, session, request)
			},
		} {
			target := "/sandbox/echo?id=" + identifier(t)
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				for len(requests(t, target)) == 0 {
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
			start := time.Now()
			_, err := send(ctx, &zelf.Request{Method: "GET", Target: target, Timeout: 5 * time.Second})
			if !errors.Is(err, context.Canceled) || !errors.Is(err, zelf.ErrCancelled) || time.Since(start) > 2*time.Second {
				t.Errorf("%s: the error is %v after %v", name, err, time.Since(start))
			}
		}
	})
	t.Run("a client sends with a session and does not renew it", func(t *testing.T) {
		options := options(t)
		session := create(t, client, options)
		response, err := client.Send(within(t), session, &zelf.Request{Method: "GET", Target: search("go.zelf")})
		if err != nil || response.HTTPStatus() != 200 {
			t.Fatalf("the answer is %v %v", response, err)
		}
		useUp(t, options.Identifier)
		response, err = client.Send(within(t), session, &zelf.Request{Method: "GET", Target: search("go.zelf")})
		if err != nil || response.HTTPStatus() != 403 || response.ServerMessage() != "Session is not active" {
			t.Errorf("the answer is %v %v", response, err)
		}
		session.Close()
		if _, err := client.Send(within(t), session, &zelf.Request{Method: "GET", Target: "/"}); !errors.Is(err, zelf.ErrClosed) {
			t.Errorf("with a closed session: %v", err)
		}
	})
	t.Run("a client sends without a session", func(t *testing.T) {
		response, err := client.Send(within(t), nil, &zelf.Request{Method: "GET", Target: search("go.zelf")})
		if err != nil || response.HTTPStatus() != 401 {
			t.Errorf("the answer is %v %v", response, err)
		}
	})
	t.Run("a getter of a closed response panics with ErrClosed", func(t *testing.T) {
		response := send(t, newProvider(t, client, options(t), nil), &zelf.Request{Method: "GET", Target: "/sandbox/bytes/10"})
		response.Close()
		response.Close()
		for name, getter := range map[string]func(){
			"HTTPStatus":    func() { response.HTTPStatus() },
			"Header":        func() { response.Header("Date") },
			"Body":          func() { response.Body() },
			"ServerMessage": func() { response.ServerMessage() },
		} {
			if err := panicOf(getter); !errors.Is(err, zelf.ErrClosed) || !strings.Contains(err.Error(), "response") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
